/// The contents of some files, read again when one of them has changed.
struct ReloadedFiles<Contents> {
  /// The latest contents that could be used; nil before the first.
  private(set) var contents: Contents?
  /// The reason why the files as they are now are not used; nil if they are.
  private(set) var problem: String?
  /// The files as they were just before `contents` were read.
  private var identities: FileIdentities?

  /// Reads the files if they have changed.
  ///
  /// - Returns: whether there are new contents.
  mutating func refresh<Failure: Error & CustomStringConvertible>(
    _ files: [String],
    folder: String? = nil,
    read: () throws(Failure) -> Contents
  ) -> Bool {
    let now = FileIdentities(files: files, folder: folder)
    guard identities != now else {
      problem = nil
      return false
    }
    do throws(Failure) {
      contents = try read()
      identities = now
      problem = nil
      return true
    } catch {
      // Files are often replaced one after the other: until they fit, the contents before are used.
      problem = error.description
      return false
    }
  }
}

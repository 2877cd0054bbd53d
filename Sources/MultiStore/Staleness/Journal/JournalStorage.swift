internal import Glibc
internal import Threads

/// The place of an instance's journal: a file in a folder, and damaged ones beside it. Confined to one thread at a
/// time.
struct JournalStorage {
  /// The most damaged files that are kept, the newest ones, for an operator to inspect.
  static let maxDamagedFiles = 3
  /// The bytes of records that are gathered for one write while a file is rewritten.
  private static let chunkBytes = 256 << 10
  /// Attempts to open a file that is being replaced by another process.
  private static let maxAttempts = 3

  let folder: String
  private let name: String
  private var file: JournalFile?
  /// Whether the file was put aside, and is still in its place until it is replaced.
  private var isPutAside = false

  init(folder: String, instance: String) {
    self.folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    name = Self.fileName(of: instance)
  }

  /// The path of the file.
  var path: String { "\(folder)/\(name)" }

  /// The file's name: the instance's, in which everything but letters, digits, `_` and `-` is percent-encoded, so that
  /// none leads out of the folder or to another instance's file.
  static func fileName(of instance: String) -> String {
    let plain = { (byte: UInt8) in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        || byte == UInt8(ascii: "-")
    }
    let name = instance.utf8.map { byte in
      if plain(byte) { return String(Unicode.Scalar(byte)) }
      return (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
    }
    return "\(name.joined()).stale"
  }

  /// The size of the file; 0 if it is not open.
  var fileBytes: Int { file?.bytes ?? 0 }

  /// Whether there may be a file, readable or not: the folder's rights may not let this user look.
  var mayHaveFile: Bool {
    var status = stat()
    // The structure is a local variable, and the path is copied by the kernel before the call returns.
    return unsafe lstat(path, &status) == 0 || errno != ENOENT && errno != ENOTDIR
  }

  /// Opens and locks the file, creates it and its folder if they are missing, and returns its contents; nil if there
  /// was none. A file that can't be written is still read.
  mutating func read() throws(JournalFailure) -> [UInt8]? {
    try makeFolder()
    for _ in 0..<Self.maxAttempts {
      let isNew = !mayHaveFile
      let found = try open()
      guard found.isInPlace else { continue }
      file = found
      guard isNew, found.bytes == 0 else { return try found.read() }
      try begin(found)
      return nil
    }
    throw JournalFailure(.lock, path, SystemError(code: EWOULDBLOCK))
  }

  /// Writes the header of a new file. An empty file is none: it would be a damaged one at the next start.
  private func begin(_ file: JournalFile) throws(JournalFailure) {
    do throws(JournalFailure) {
      try file.append(JournalFormat.header)
    } catch {
      // The path is copied by the kernel.
      _ = unsafe unlink(path)
      throw error
    }
  }

  private func open() throws(JournalFailure) -> JournalFile {
    do throws(JournalFailure) {
      return try JournalFile(path, flags: O_RDWR | O_CREAT | O_APPEND)
    } catch {
      guard error.operation == .open, let readable = try? JournalFile(path, flags: O_RDONLY) else { throw error }
      return readable
    }
  }

  /// Whether the file is where it was: it may have been removed with its folder.
  var isInPlace: Bool { file?.isInPlace == true }

  /// Appends records in one write.
  func append(_ bytes: [UInt8]) throws(JournalFailure) { try file?.append(bytes) }

  /// Waits until the disk has all records.
  func synchronize() throws(JournalFailure) { try file?.synchronize() }

  /// Closes the file, for another process to open.
  mutating func close() { file = nil }

  /// Rewrites the file: after a crash either the old or the new one exists. It is on the disk when this returns.
  mutating func replace(by state: JournalState) throws(JournalFailure) {
    try makeFolder()
    if !isInPlace, mayHaveFile {
      // A file that could not be opened before, or was removed, may be in use by another process now.
      let found = try openToReplace()
      // One that this process could not read at its start tells what an operator may have to know.
      if file == nil, !isPutAside, let found, found.bytes > 0 { _ = try putAside(at: Int(time(nil))) }
      file = found
    }
    let temporary = "\(path).new"
    // A leftover of a process that was killed while it rewrote the file. The path is copied by the kernel.
    _ = unsafe unlink(temporary)
    do throws(JournalFailure) {
      let new = try JournalFile(temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
      try Self.write(state, to: new)
      try new.synchronize()
      try new.rename(to: path)
      file = new
      isPutAside = false
    } catch {
      _ = unsafe unlink(temporary)
      throw error
    }
    synchronizeFolder()
  }

  /// Opens and locks the file in place; nil if it can't be opened, and is kept under another name.
  private func openToReplace() throws(JournalFailure) -> JournalFile? {
    do throws(JournalFailure) {
      return try open()
    } catch {
      guard isPutAside, error.operation == .open else { throw error }
      return nil
    }
  }

  private static func write(_ state: JournalState, to file: JournalFile) throws(JournalFailure) {
    var buffer = JournalFormat.header
    try state.forEachRecord { record throws(JournalFailure) in
      JournalFormat.append(record, to: &buffer)
      guard buffer.count >= chunkBytes else { return }
      try file.append(buffer)
      buffer.removeAll(keepingCapacity: true)
    }
    try file.append(buffer)
  }

  /// Keeps the file, which can't be read, under another name, and removes the oldest of those that were kept before. It
  /// also stays in its place until it is replaced: if that fails, the next process must not find nothing.
  ///
  /// - Parameter seconds: the time, in seconds since 1970, for its other name.
  /// - Returns: its other path.
  mutating func putAside(at seconds: Int) throws(JournalFailure) -> String {
    let aside = "\(path).damaged-\(seconds)"
    // Both paths are copied by the kernel before the call returns.
    let isLinked = unsafe link(path, aside) == 0
    // Some file systems have no links.
    guard isLinked || errno == EEXIST || (unsafe rename(path, aside)) == 0 else {
      throw JournalFailure(.replace, path, .last)
    }
    file = nil
    isPutAside = true
    for name in damagedFiles().dropLast(Self.maxDamagedFiles) { _ = unsafe unlink("\(folder)/\(name)") }
    return aside
  }

  /// The names of the files that were put aside, the oldest first.
  private func damagedFiles() -> [String] {
    let prefix = "\(name).damaged-"
    let found = Self.fileNames(in: folder).compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)).map { (seconds: $0, name: name) } : nil
    }
    return found.sorted { $0.seconds < $1.seconds }.map(\.name)
  }

  /// The names of files for other instances than these, sorted.
  static func unusedFiles(in folder: String, instances: [String]) -> [String] {
    let used = Set(instances.map(fileName))
    return fileNames(in: folder).filter { $0.hasSuffix(".stale") && !used.contains($0) }.sorted()
  }

  private static func fileNames(in folder: String) -> [String] {
    // The stream is open until the end of this function, and each entry is copied before the next call.
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      // The name is zero-terminated within the entry.
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }

  /// The reason why no file can be created in the folder, or the folder in its parent; nil if there is none.
  var folderProblem: JournalFailure? {
    var status = stat()
    // The structure is a local variable, and the paths are copied by the kernel before the calls return.
    guard unsafe stat(folder, &status) == 0 else {
      guard errno == ENOENT else { return JournalFailure(.open, folder, .last) }
      let parent = folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "."
      return unsafe access(parent, W_OK | X_OK) == 0 ? nil : JournalFailure(.makeFolder, folder, .last)
    }
    if status.st_mode & S_IFMT != S_IFDIR { return JournalFailure(.open, folder, SystemError(code: ENOTDIR)) }
    return unsafe access(folder, W_OK | X_OK) == 0 ? nil : JournalFailure(.write, folder, .last)
  }

  private func makeFolder() throws(JournalFailure) {
    // The path is copied by the kernel before the call returns.
    guard unsafe mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
    throw JournalFailure(.makeFolder, folder, .last)
  }

  /// Makes the file's name durable. If that fails, a power failure may bring back the old file, whose process has not
  /// stopped cleanly.
  private func synchronizeFolder() {
    // The path is copied by the kernel before the call returns.
    let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    Glibc.close(descriptor)
  }
}

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Replaces a file atomically: a reader finds the old contents or the new ones, also after a crash.
enum AtomicFile {
  /// A file that was not replaced. The old one is unchanged.
  enum Failure: Error, Equatable {
    /// This process may not change it: a ConfigMap, a read-only file system, no permission.
    case readOnly(String)
    /// One of the steps failed.
    case failed(String)
  }

  /// The permissions of a new file: the group may read it, others may not.
  private static let newFileMode: mode_t = 0o640
  /// The errors of a place where this process may not write. A single file that is mounted into a container (`subPath`)
  /// can be opened but not replaced, which is EBUSY.
  private static let readOnlyCodes: [Int32] = [EROFS, EACCES, EPERM, EBUSY]

  /// Replaces the file, or creates it. A symbolic link is kept, and its target is replaced.
  ///
  /// - Returns: The failure to flush the folder after the file was replaced, so that a power failure could undo it; nil
  ///   for none.
  static func replace(_ path: String, by bytes: [UInt8]) throws(Failure) -> FileFailure? {
    let target = try resolve(path)
    let temporary = temporaryPath(of: target)
    removeTemporary(of: target)
    do throws(FileFailure) {
      try write(bytes, to: temporary, like: target)
      // Safe: both paths are zero-terminated for the time of the call.
      guard unsafe rename(temporary, target) == 0 else { throw FileFailure(code: errno) }
    } catch {
      removeTemporary(of: target)
      let sentence = "\(folder(of: target)): \(error)"
      throw readOnlyCodes.contains(error.code) ? .readOnly(sentence) : .failed(sentence)
    }
    return synchronize(folder: folder(of: target))
  }

  /// Removes the temporary file of an earlier replacement that a crash interrupted.
  static func removeLeftovers(of path: String) {
    if let target = try? resolve(path) { removeTemporary(of: target) }
  }

  /// Returns the folder of a path.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Returns the folders to watch for changes of a file: that of the path, and that of a link's target. The link that
  /// Kubernetes switches for a ConfigMap is in the first of them.
  static func watchedFolders(of path: String) -> [String] {
    var folders = [folder(of: path)]
    if let target = realPath(path), !isInConfigMap(target) {
      let behind = folder(of: target)
      if behind != realPath(folders[0]) { folders.append(behind) }
    }
    return folders
  }

  /// Returns a path with its links resolved; nil when there is no such file.
  static func realPath(_ path: String) -> String? {
    // Safe: with nil realpath() allocates its result, which is copied and freed here.
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Whether a path is in one of the folders that Kubernetes creates for a ConfigMap and switches as a whole:
  /// `flags.yml` → `..data/flags.yml`, `..data` → `..2026_01_31_12_00_00.123` (kubernetes
  /// pkg/volume/util/atomic_writer.go).
  static func isInConfigMap(_ realPath: String) -> Bool {
    realPath.split(separator: "/").contains { $0.hasPrefix("..") && $0.count > 2 }
  }

  private static func resolve(_ path: String) throws(Failure) -> String {
    if let target = realPath(path) {
      guard !isInConfigMap(target) else { throw .readOnly("\(path) comes from a Kubernetes ConfigMap or Secret") }
      return target
    }
    var status = stat()
    // Safe: the structure lives for the time of the call.
    guard unsafe lstat(path, &status) != 0 else { throw .failed("\(path) is a symbolic link that leads nowhere") }
    return path
  }

  /// Returns the path of the temporary file, always the same, so that a leftover is found. Its name begins with a dot,
  /// so that programs that read every `*.yml` of a folder ignore it.
  private static func temporaryPath(of target: String) -> String {
    let name = target.lastIndex(of: "/").map { target[target.index(after: $0)...] } ?? target[...]
    return "\(folder(of: target))/.\(name).multistore-tmp"
  }

  private static func removeTemporary(of target: String) {
    // Safe: the path is zero-terminated for the time of the call. Usually there is no such file.
    _ = unsafe unlink(temporaryPath(of: target))
  }

  /// Writes and flushes a new file with the permissions of `model`, and with its owner if this process may set that.
  private static func write(_ bytes: [UInt8], to path: String, like model: String) throws(FileFailure) {
    // Safe: the path is zero-terminated for the time of the call.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, newFileMode)
    guard descriptor >= 0 else { throw FileFailure(code: errno) }
    defer { close(descriptor) }
    var status = stat()
    // Safe: the structure lives for the time of the call.
    if unsafe stat(model, &status) == 0 {
      _ = fchown(descriptor, status.st_uid, status.st_gid)
      guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else { throw FileFailure(code: errno) }
    }
    var written = 0
    while written < bytes.count {
      // Safe: the address and the count are those of the part that is not yet written.
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        return unsafe systemWrite(descriptor, rest.baseAddress, rest.count)
      }
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { throw FileFailure(code: result < 0 ? errno : EIO) }
      written += result
    }
    guard fsync(descriptor) == 0 else { throw FileFailure(code: errno) }
  }

  /// Flushes the folder, which makes the new name of the file durable.
  private static func synchronize(folder: String) -> FileFailure? {
    // Safe: the path is zero-terminated for the time of the call.
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return FileFailure(code: errno) }
    defer { close(descriptor) }
    return fsync(descriptor) == 0 ? nil : FileFailure(code: errno)
  }

  private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes, count)
    #else
      unsafe Darwin.write(descriptor, bytes, count)
    #endif
  }
}

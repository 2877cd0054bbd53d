#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A failed system call on a file.
package struct FileFailure: Error, Equatable, CustomStringConvertible {
  /// The value of `errno`, or `EFBIG` for a file that is larger than was allowed.
  let code: Int32

  /// Whether the file, or a folder of its path, does not exist.
  var isNotFound: Bool { code == ENOENT }

  /// The C library's words, such as "No such file or directory".
  package var description: String {
    // Safe: strerror returns a zero-terminated text for every number, and it is copied at once.
    unsafe String(cString: strerror(code))
  }
}

/// Reads files that fit into memory, with their permissions and owner.
package enum SmallFile {
  /// A file as it was at the moment of reading.
  package struct Contents: Equatable {
    package let bytes: [UInt8]
    /// Permission bits of the file.
    let mode: mode_t
    let owner: uid_t
    let group: gid_t

    var isReadableByEverybody: Bool { mode & S_IROTH != 0 }
  }

  private static let chunkBytes = 16 << 10

  /// Returns the whole file, which is opened once.
  package static func read(_ path: String, limitBytes: Int) throws(FileFailure) -> Contents {
    // Safe: the path is zero-terminated for the time of the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure(code: errno) }
    defer { close(descriptor) }
    var status = stat()
    // Safe: the structure lives for the time of the call.
    guard unsafe fstat(descriptor, &status) == 0 else { throw FileFailure(code: errno) }
    var bytes: [UInt8] = []
    while true {
      let chunk = try readChunk(descriptor)
      if chunk.isEmpty { break }
      bytes += chunk
      guard bytes.count <= limitBytes else { throw FileFailure(code: EFBIG) }
    }
    return Contents(bytes: bytes, mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid)
  }

  /// Whether a program can be run by this user: a path, or a name that is looked up in the folders of `searchPath`.
  static func isExecutable(_ program: String, searchPath: String) -> Bool {
    let hasFolder = program.utf8.contains(UInt8(ascii: "/"))
    let paths = hasFolder ? [program] : searchPath.split(separator: ":").map { "\($0)/\(program)" }
    return paths.contains { path in
      var status = stat()
      // Safe: the path is zero-terminated, and the structure lives, for the time of the calls.
      return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
  }

  private static func readChunk(_ descriptor: Int32) throws(FileFailure) -> [UInt8] {
    var failure: Int32 = 0
    // Safe: read() gets the buffer's own size, and as many bytes count as initialized as it says it has written.
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
      var result: Int
      repeat {
        result = unsafe Self.read(descriptor, buffer)
      } while result < 0 && errno == EINTR
      failure = result < 0 ? errno : 0
      count = max(0, result)
    }
    guard failure == 0 else { throw FileFailure(code: failure) }
    return chunk
  }

  private static func read(_ descriptor: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    // The buffer is the caller's and valid during the call, and the kernel writes at most `buffer.count` bytes.
    #if canImport(Glibc)
      unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #else
      unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }
}

/// The contents of a path at one moment, to notice a change.
struct FileSnapshot {
  /// The limit on a file; no certificate, key or configuration is larger.
  private static let limitBytes = 1 << 20

  let path: String
  let contents: Result<SmallFile.Contents, FileFailure>

  init(of path: String) {
    self.path = path
    do throws(FileFailure) {
      contents = .success(try SmallFile.read(path, limitBytes: Self.limitBytes))
    } catch {
      contents = .failure(error)
    }
  }

  /// Whether the path still has the same contents.
  var isCurrent: Bool { FileSnapshot(of: path).contents == contents }
}

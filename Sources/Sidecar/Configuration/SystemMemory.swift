internal import Glibc

/// The memory that is available to this process.
enum SystemMemory {
  /// The folder of cgroups of version 2, and of the memory controller of version 1 (cgroups(7)).
  private static let folder = "/sys/fs/cgroup"

  /// Returns the bytes of the machine's memory, or the lowest limit of the process' cgroups if that is less.
  static func availableBytes() -> Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return limit(membership: text("/proc/self/cgroup") ?? "") { text($0) }.map { min($0, machine) } ?? machine
  }

  /// Returns the lowest limit of a process' cgroups; nil when none has a limit.
  ///
  /// The root is included: a container usually sees its own cgroup there. libuv 1.44 reads neither the limits of
  /// parents nor cgroups of version 2 (`uv_get_constrained_memory`).
  ///
  /// - Parameters:
  ///   - membership: The contents of `/proc/self/cgroup`.
  ///   - read: Returns the contents of a file; nil when it can't be read.
  static func limit(membership: String, read: (String) -> String?) -> Int? {
    var limits: [Int] = []
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isVersion2 = fields[1].isEmpty
      guard isVersion2 || fields[1].split(separator: ",").contains("memory") else { continue }
      let (root, file) = isVersion2 ? (folder, "memory.max") : ("\(folder)/memory", "memory.limit_in_bytes")
      var path = fields[2]
      while true {
        let parent = path.hasSuffix("/") ? path.dropLast() : path
        if let limit = read("\(root)\(parent)/\(file)").flatMap({ Int($0.prefix { !$0.isWhitespace }) }) {
          limits.append(limit)
        }
        guard let slash = parent.lastIndex(of: "/") else { break }
        path = parent[..<slash]
      }
    }
    return limits.min()
  }

  private static func text(_ path: String) -> String? {
    guard let contents = try? SmallFile.read(path, limitBytes: 64 << 10) else { return nil }
    return String(decoding: contents.bytes, as: UTF8.self)
  }
}

internal import Glibc

/// How much memory there is for this process.
enum SystemMemory {
  /// Where cgroups of version 2 are, and those of version 1 that bound memory (cgroups(7)).
  private static let folder = "/sys/fs/cgroup"

  /// The bytes that the machine has, or the lowest limit of the process' cgroups if that is less.
  static func availableBytes() -> Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return limit(membership: text("/proc/self/cgroup") ?? "") { text($0) }.map { min($0, machine) } ?? machine
  }

  /// The lowest limit of the cgroups that a process is in; nil when none has one.
  ///
  /// A container usually sees its own cgroup as the root of what is mounted, so that the root is looked at as well.
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

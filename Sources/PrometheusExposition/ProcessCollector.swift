// The `process_*` metrics that every Prometheus client exposes, read from /proc. Other systems than Linux have no
// /proc, and expose none.

#if os(Linux)
  internal import Glibc
#endif

/// The standard metrics of the process itself.
public enum ProcessCollector {
  /// The metrics. Prometheus requires these names and meanings of client libraries (prometheus.io, "Writing client
  /// libraries", standard and runtime collectors).
  public static let descriptors: [MetricDescriptor] = [
    MetricDescriptor(
      name: "process_cpu_seconds_total",
      kind: .counter,
      help: "User and system CPU time spent, in seconds"
    ),
    MetricDescriptor(name: "process_open_fds", kind: .gauge, help: "Open file descriptors"),
    MetricDescriptor(name: "process_max_fds", kind: .gauge, help: "Most file descriptors the process may have open"),
    MetricDescriptor(name: "process_virtual_memory_bytes", kind: .gauge, help: "Size of virtual memory, in bytes"),
    MetricDescriptor(name: "process_resident_memory_bytes", kind: .gauge, help: "Size of resident memory, in bytes"),
    MetricDescriptor(
      name: "process_start_time_seconds",
      kind: .gauge,
      help: "When the process started, in seconds since 1970"
    ),
  ]

  /// Describes the metrics to a registry and computes them at each scrape.
  ///
  /// Values that cannot be read, because /proc is hidden, are omitted from that scrape.
  public static func register(in registry: PrometheusRegistry) {
    registry.describe(descriptors)
    #if os(Linux)
      let bootTime = Procfs.bootTime()
      registry.collect { writer in
        if let status = Procfs.status() {
          writer.counter("process_cpu_seconds_total", status.cpuSeconds)
          writer.gauge("process_virtual_memory_bytes", status.virtualBytes)
          writer.gauge("process_resident_memory_bytes", status.residentBytes)
          if let bootTime { writer.gauge("process_start_time_seconds", bootTime + status.startSeconds) }
        }
        if let count = Procfs.openDescriptors() { writer.gauge("process_open_fds", Double(count)) }
        var limit = rlimit()
        // The pointer is to a local variable and not kept by the call.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
          writer.gauge("process_max_fds", limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur))
        }
      }
    #endif
  }
}

#if os(Linux)
  /// Reads the files of proc(5) about this process.
  private enum Procfs {
    /// The fields of /proc/self/stat that are exposed.
    struct Status {
      var cpuSeconds: Double
      var virtualBytes: Double
      var residentBytes: Double
      /// The seconds from the machine's start to the process'.
      var startSeconds: Double
    }

    /// The limit on a stat line, which has some 52 numbers of at most 20 digits, and a name of 16 bytes.
    private static let maxStatBytes = 4096

    /// The limit on /proc/stat, which has a line for each CPU and a long one for interrupts before the wanted line.
    private static let maxSystemStatBytes = 1 << 20

    static func status() -> Status? {
      guard let line = read("/proc/self/stat", atMost: maxStatBytes) else { return nil }
      // The second field is the program's name in parentheses and may hold anything, parentheses too: count from its
      // end.
      guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
      let fields = line[end...].dropFirst().split(separator: UInt8(ascii: " "))
      // proc(5) counts from 1, and the first field here is its third.
      func field(_ number: Int) -> Double? {
        number - 3 < fields.count ? Double(String(decoding: fields[number - 3], as: UTF8.self)) : nil
      }
      guard let user = field(14), let system = field(15), let start = field(22),
        let virtual = field(23), let residentPages = field(24)
      else { return nil }
      let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
      return Status(
        cpuSeconds: (user + system) / ticksPerSecond,
        virtualBytes: virtual,
        residentBytes: residentPages * Double(sysconf(Int32(_SC_PAGESIZE))),
        startSeconds: start / ticksPerSecond
      )
    }

    /// Returns the time of the machine's start, in seconds since 1970.
    static func bootTime() -> Double? {
      guard let bytes = read("/proc/stat", atMost: maxSystemStatBytes) else { return nil }
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("btime ") {
        return Double(line.dropFirst("btime ".count))
      }
      return nil
    }

    /// Returns the number of open descriptors, without the one that counts them.
    static func openDescriptors() -> Int? {
      // Since Linux 6.2 the folder's size is their number (proc(5)); reading 10,000 entries takes milliseconds.
      var folder = stat()
      if unsafe stat("/proc/self/fd", &folder) == 0, folder.st_size > 0 { return Int(folder.st_size) }
      // The stream is used by this call alone, and closed at its end.
      guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
      defer { unsafe closedir(directory) }
      var entries = 0
      while unsafe readdir(directory) != nil { entries += 1 }
      // The entries for the directory itself, the one above, and the descriptor that reads it.
      return entries - 3
    }

    private static func read(_ path: String, atMost limit: Int) -> [UInt8]? {
      // The path is copied by the kernel before the call returns.
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 4096)
      while bytes.count < limit {
        // The buffer is the array's own storage, as long as its count says, and the call does not keep it.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 { return nil }
        if count == 0 { break }
        bytes += chunk[..<count]
      }
      return bytes
    }
  }
#endif

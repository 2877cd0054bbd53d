#if os(Linux)
  import Foundation
  import Glibc
  import PrometheusExposition
  import Testing

  /// The process metrics against what others say about this very process.
  @Suite struct ProcessCollectorTests {
    private let samples: [String: Double]

    init() {
      let registry = PrometheusRegistry()
      ProcessCollector.register(in: registry)
      samples = registry.samples()
    }

    private func ps(_ column: String) throws -> Double {
      let result = try run("/bin/ps", ["-o", "\(column)=", "-p", "\(getpid())"])
      return try #require(Double(result.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(result.output)")
    }

    @Test func everythingDescribedIsThere() {
      let names = samples.keys.filter { $0.hasPrefix("process_") }
      #expect(Set(names) == Set(ProcessCollector.descriptors.map(\.name)))
    }

    @Test func memoryIsWhatPsSays() throws {
      let resident = try #require(samples["process_resident_memory_bytes"])
      let virtual = try #require(samples["process_virtual_memory_bytes"])
      // Tests run in parallel and allocate between the two readings.
      #expect(try (0.5...2).contains(ps("rss") * 1024 / resident))
      #expect(try (0.5...2).contains(ps("vsz") * 1024 / virtual))
    }

    @Test func cpuTimeIsWhatTheKernelCounted() throws {
      let exposed = try #require(samples["process_cpu_seconds_total"])
      var usage = rusage()
      #expect(getrusage(RUSAGE_SELF.rawValue, &usage) == 0)
      let seconds = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }.reduce(0, +)
      // Read later, so not less, but for the rounding to clock ticks.
      #expect(exposed <= seconds + 0.05)
      #expect(exposed > 0)
    }

    @Test func startTimeIsWhatPsSays() throws {
      let start = try #require(samples["process_start_time_seconds"])
      let elapsed = try ps("etimes")
      #expect(abs(Date().timeIntervalSince1970 - elapsed - start) < 5)
    }

    @Test func descriptorsAreCounted() throws {
      let registry = PrometheusRegistry()
      ProcessCollector.register(in: registry)
      var limit = rlimit()
      #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
      #expect(samples["process_max_fds"] == Double(limit.rlim_cur))
      // Enough of them that what other tests open and close in the meantime does not matter.
      let before = try #require(registry.samples()["process_open_fds"])
      let opened = (0..<200).map { _ in open("/dev/null", O_RDONLY) }
      defer { for descriptor in opened { close(descriptor) } }
      let after = try #require(registry.samples()["process_open_fds"])
      #expect(abs(after - before - 200) < 100)
    }
  }
#endif

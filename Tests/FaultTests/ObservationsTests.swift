import Testing

@testable import FaultLaboratory

@Suite("Half-seconds without service")
struct ObservationsTests {
  private let start = ContinuousClock.now

  private func unserved(_ samples: [(from: Double, to: Double, isServed: Bool)]) -> Int {
    var record = Observations.Record()
    record.samples = samples.map { sample in
      Observations.Sample(
        start: start + .seconds(sample.from),
        end: start + .seconds(sample.to),
        isServed: sample.isServed
      )
    }
    let (count, of) = record.unserved(from: start, to: start + .seconds(3))
    #expect(of == 6)
    return count
  }

  @Test func `a wait counts where it fills a half-second in which nobody is served`() {
    #expect(unserved([(-0.2, 2.6, true)]) == 5)
    #expect(unserved([(-0.2, 2.6, true), (0.6, 0.7, true), (1.2, 1.3, true)]) == 3)
    #expect(unserved([(0.1, 0.4, true), (0.45, 0.95, true)]) == 0)
    #expect(unserved([(0.4, 1.1, true)]) == 1)
    #expect(unserved([(-5, 9, true)]) == 6)
  }

  @Test func `an error is no service, and a pause is no wait`() {
    #expect(unserved([(0.1, 0.2, false)]) == 1)
    #expect(unserved([(0.1, 0.2, false), (0.3, 0.4, true)]) == 0)
    #expect(unserved([]) == 0)
  }

  @Test func `the longest wait is one that ended after the beginning`() {
    var record = Observations.Record()
    record.samples = [(-4.0, -1.0), (-0.5, 0.5), (1, 1.2)].map { from, to in
      Observations.Sample(start: start + .seconds(from), end: start + .seconds(to), isServed: true)
    }
    #expect(record.longestWait(since: start) == .seconds(1))
    #expect(record.longestWait(since: start + .seconds(2)) == .zero)
  }
}

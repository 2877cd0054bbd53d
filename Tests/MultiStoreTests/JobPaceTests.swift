internal import Testing

@testable internal import MultiStore

@Suite("Pace of a job")
struct JobPaceTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func `keeps to the rate, a page at a time`() {
    var pace = JobPace(keysPerSecond: 1_000)
    #expect(pace.pageSize == 2 && pace.nextAt == 0)
    pace.began(keys: 10, now: 0)
    #expect(pace.nextAt == 10_000_000)
    // It makes up for a timer that was late, and not for a pause.
    pace.began(keys: 10, now: 11_000_000)
    #expect(pace.nextAt == 20_000_000)
    pace.began(keys: 10, now: Self.second)
    #expect(pace.nextAt == Self.second - JobPace.slack + 10_000_000)
  }

  @Test func `has pages of at least one key, and no huge ones`() {
    #expect(JobPace(keysPerSecond: 1).pageSize == 1)
    #expect(JobPace(keysPerSecond: 1_000_000).pageSize == JobPace.maxPage)
  }

  @Test func `has larger pages of stores that are far away`() {
    var pace = JobPace(keysPerSecond: 5_000)
    pace.measured(latency: 100_000)
    #expect(pace.pageSize == 12)
    pace = JobPace(keysPerSecond: 5_000)
    pace.measured(latency: 10_000_000)
    #expect(pace.pageSize == 100)
    // A store that is slow for a while is not asked for more at once.
    pace.measured(latency: 15_000_000)
    #expect(pace.pageSize == 100)
  }

  @Test func `falls while a store's latency rises, and comes back`() {
    var pace = JobPace(keysPerSecond: 1_000)
    pace.measured(latency: 60_000_000)
    #expect(pace.rate == 1_000, "a store that is far away is not slow")
    pace.measured(latency: 60_000_000 + JobPace.latencyRise + 1)
    #expect(pace.rate == 500)
    for _ in 0..<20 { pace.measured(latency: Self.second) }
    #expect(pace.rate == JobPace.lowestRate)
    for _ in 0..<100 { pace.measured(latency: 61_000_000) }
    #expect(pace.rate == 1_000)
  }

  @Test func `takes another limit at once`() {
    var pace = JobPace(keysPerSecond: 1)
    pace.began(keys: 1, now: 0)
    pace.limit(to: 100)
    #expect(pace.nextAt == 0 && pace.rate == 100)
  }
}

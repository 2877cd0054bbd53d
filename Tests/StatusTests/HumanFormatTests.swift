import Testing

@testable import Status

@Suite("Figures for people")
struct HumanFormatTests {
  @Test(arguments: [
    (0.0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234"), (.nan, "0"),
    (1e300, "9,223,372,036,854,775,807"),
  ])
  func `whole numbers have their thousands apart`(_ number: Double, _ text: String) {
    #expect(HumanFormat.count(number) == text)
  }

  @Test func `nouns follow their numbers`() {
    #expect(HumanFormat.count(0, "key") == "0 keys")
    #expect(HumanFormat.count(1, "key") == "1 key")
    #expect(HumanFormat.count(2, "reply", "replies") == "2 replies")
  }

  @Test(arguments: [
    (0.0, "0 %"), (0.000_05, "under 0.01 %"), (0.0001, "0.01 %"), (0.001, "0.1 %"), (0.0012, "0.12 %"),
    (0.05, "5 %"), (0.0512, "5.1 %"), (0.12, "12 %"), (0.999, "100 %"), (1, "100 %"),
  ])
  func `shares are percents that never read as nothing`(_ ratio: Double, _ text: String) {
    #expect(HumanFormat.percent(ratio) == text)
  }

  @Test(arguments: [
    (0.0, "0 µs"), (0.000_085, "85 µs"), (0.000_999_6, "1 ms"), (0.0012, "1.2 ms"), (0.012, "12 ms"), (0.99, "990 ms"),
    (1.25, "1.3 s"), (12, "12 s"),
  ])
  func `latencies have a unit that suits them`(_ seconds: Double, _ text: String) {
    #expect(HumanFormat.latency(seconds) == text)
  }

  @Test(arguments: [
    (-5.0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
    (86_400, "1 d"), (273_600, "3 d 4 h"),
  ])
  func `times have their two largest units`(_ seconds: Double, _ text: String) {
    #expect(HumanFormat.duration(seconds) == text)
  }

  @Test(arguments: [(0.0, "0/s"), (0.25, "0.25/s"), (9.96, "10/s"), (1234.4, "1,234/s")])
  func `rates are for a second`(_ rate: Double, _ text: String) {
    #expect(HumanFormat.rate(rate) == text)
  }

  @Test func `moments are in UTC`() {
    #expect(HumanFormat.moment(milliseconds: 1_700_000_000_999) == "2023-11-14 22:13:20 UTC")
    #expect(HumanFormat.iso8601(milliseconds: 951_782_400_000) == "2000-02-29T00:00:00Z")
  }
}

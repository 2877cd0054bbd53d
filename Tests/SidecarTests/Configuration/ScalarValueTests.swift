import Testing

@testable import Sidecar

@Suite("Scalar values")
struct ScalarValueTests {
  @Test("Durations have a unit")
  func durations() {
    #expect(ScalarValues.duration("250ms") == .milliseconds(250))
    #expect(ScalarValues.duration("5s") == .seconds(5))
    #expect(ScalarValues.duration("2m") == .seconds(120))
    #expect(ScalarValues.duration("1h") == .seconds(3600))
    for text in [
      "", "5", "s", "-1s", "1.5s", "5 s", "5S", "1d", "5mss", "99999999999999999999s", "9223372036854775807h",
    ] {
      #expect(ScalarValues.duration(text) == nil, "\(text)")
    }
  }

  @Test("Sizes are in powers of 1024 or plain bytes")
  func sizes() {
    #expect(ScalarValues.size("1024") == 1024)
    #expect(ScalarValues.size("64KiB") == 65536)
    #expect(ScalarValues.size("512MiB") == 536_870_912)
    #expect(ScalarValues.size("16GiB") == 17_179_869_184)
    for text in ["", "MiB", "1MB", "1mb", "1.5MiB", "-1", "1 MiB", "0x10", "9223372036854775807KiB"] {
      #expect(ScalarValues.size(text) == nil, "\(text)")
    }
  }

  @Test("What is written back reads as it was", arguments: [1, 1000, 1024, 1536, 1 << 20, 3 << 30])
  func sizeText(size: Int) {
    #expect(ScalarValues.size(ScalarValues.text(size: size)) == size)
  }

  @Test(
    "Durations are written with the largest unit that fits",
    arguments: [(1, "1ms"), (1500, "1500ms"), (60000, "1m")]
  )
  func durationText(milliseconds: Int, text: String) {
    #expect(ScalarValues.text(duration: .milliseconds(milliseconds)) == text)
  }

  @Test("The nearest name is the one that was meant, and far ones are none")
  func nearest() {
    let names = ["read_policy", "password", "password_file", "primary"]
    #expect(NearestName.find("read_polcy", among: names) == "read_policy")
    #expect(NearestName.find("passwrod", among: names) == "password")
    #expect(NearestName.find("READ_POLICY", among: names) == "read_policy")
    #expect(NearestName.find("pasword_file", among: names) == "password_file")
    #expect(NearestName.find("url", among: names) == nil)
    #expect(NearestName.find("", among: names) == nil)
    #expect(NearestName.hint(for: "x", among: []) == "there are none")
    #expect(NearestName.distance(from: "ab", to: "ba") == 1)
    #expect(NearestName.distance(from: "kitten", to: "sitting") == 3)
  }

  @Test(
    "What is no variable is refused or stays",
    arguments: [("$", "$"), ("$$", "$$"), ("a$b", "a$b"), ("$${A}", "${A}"), ("$$${A}", "$${A}"), ("${A}${A}", "xx")]
  )
  func expansion(text: String, expected: String) throws {
    #expect(try EnvironmentExpansion { $0 == "A" ? "x" : nil }.expand(text) == expected)
  }

  @Test("Names that no variable can have", arguments: ["${}", "${1A}", "${A-B}", "${A:-b}", "${Ä}", "${ A}"])
  func badVariable(text: String) {
    #expect(throws: ValueMistake.self) { try EnvironmentExpansion { _ in "x" }.expand(text) }
  }
}

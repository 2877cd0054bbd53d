import Foundation
import JSONLog
import Logging
import Testing

@Suite struct JSONLogHandlerTests {
  private struct StoreIsGone: Error, CustomStringConvertible {
    var description: String { "the store \"primary\" is gone" }
  }

  private let folder: TemporaryFolder
  private let sink: JSONLogSink

  init() throws {
    folder = try TemporaryFolder()
    sink = try JSONLogSink(destination: .file(path: folder.path("log")))
  }

  /// 2022-05-21T14:10:19.778Z
  private func logger(
    at milliseconds: Int64 = 1_653_142_219_778,
    level: Logger.Level = .trace,
    provider: Logger.MetadataProvider? = nil
  ) -> Logger {
    Logger(label: "sidecar") { label in
      JSONLogHandler(
        sink: sink,
        label: label,
        level: level,
        metadataProvider: provider,
        clock: { LogTime(millisecondsSinceEpoch: milliseconds) }
      )
    }
  }

  private func lines() throws -> [String] {
    #expect(sink.flush(deadline: patience))
    return try folder.lines("log").dropLast()
  }

  private func parsed() throws -> [[String: Any]] {
    try lines().map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
  }

  /// The line of GitLab's documentation, field by field in its order.
  @Test func anEventIsWrittenAsGitLabWritesIt() throws {
    logger().error(
      "Value not found on the redis primary store.",
      metadata: [
        "exception.class": "Gitlab::Redis::MultiStore::ReadFromPrimaryError",
        "extra.command_name": "get",
        "extra.instance_name": "sessions",
        "extra.multi_store_error_message": .stringConvertible(JSONNull()),
        "extra.suppressed": .stringConvertible(3),
      ]
    )
    #expect(
      try lines() == [
        #"{"severity":"ERROR","time":"2022-05-21T14:10:19.778Z","correlation_id":null,"#
          + #""exception.class":"Gitlab::Redis::MultiStore::ReadFromPrimaryError","#
          + #""exception.message":"Value not found on the redis primary store.","#
          + #""extra.command_name":"get","extra.instance_name":"sessions","#
          + #""extra.multi_store_error_message":null,"extra.suppressed":3}"#
      ]
    )
  }

  @Test func otherLinesHaveAMessage() throws {
    logger().notice("listening", metadata: ["correlation_id": "abc", "address": "127.0.0.1:6400"])
    #expect(
      try lines() == [
        #"{"severity":"INFO","time":"2022-05-21T14:10:19.778Z","correlation_id":"abc","#
          + #""message":"listening","logger":"sidecar","address":"127.0.0.1:6400"}"#
      ]
    )
  }

  @Test func levelsHaveGitLabsNames() throws {
    let logger = logger()
    for level in Logger.Level.allCases { logger.log(level: level, "x") }
    let severities = try parsed().map { $0["severity"] as? String }
    #expect(severities == ["DEBUG", "DEBUG", "INFO", "INFO", "WARN", "ERROR", "FATAL"])
  }

  @Test func whatIsBelowTheLevelIsNotWritten() throws {
    var logger = logger(level: .warning)
    logger.info("no")
    logger.logLevel = .info
    logger.info("yes")
    #expect(try parsed().map { $0["message"] as? String } == ["yes"])
  }

  @Test func metadataIsMergedTheNearestWins() throws {
    var logger = logger(provider: Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] })
    logger[metadataKey: "a"] = "logger"
    logger[metadataKey: "d"] = "logger"
    logger.info("x", metadata: ["b": "line"])
    let line = try #require(parsed().first)
    #expect(["a", "b", "c", "d"].map { line[$0] as? String } == ["provider", "line", "provider", "logger"])
  }

  @Test func valuesKeepTheirTypes() throws {
    logger().info(
      "x",
      metadata: [
        "bool": .stringConvertible(true), "int": .stringConvertible(-7), "big": .stringConvertible(UInt64.max),
        "double": .stringConvertible(0.00001), "float": .stringConvertible(Float(0.1)),
        "infinite": .stringConvertible(Double.infinity), "duration": .stringConvertible(Duration.seconds(2)),
        "text": "5", "list": ["a", .stringConvertible(1), []], "nested": ["z": ["y": "x"], "a": "1"], "empty": [:],
      ]
    )
    let line = try #require(lines().first)
    #expect(
      line.hasSuffix(
        #""big":18446744073709551615,"bool":true,"double":1e-05,"duration":"2.0 seconds","empty":{},"float":0.1,"#
          + #""infinite":"inf","int":-7,"list":["a",1,[]],"nested":{"a":"1","z":{"y":"x"}},"text":"5"}"#
      ),
      "\(line)"
    )
    #expect(try parsed().count == 1)
  }

  @Test func fieldsOfTheHandlersOwnAreKeptApart() throws {
    logger().info("m", metadata: ["severity": "s", "time": "t", "message": "n", "extra.time": "kept"])
    let line = try #require(lines().first)
    #expect(line.hasSuffix(#""logger":"sidecar","extra.message":"n","extra.severity":"s","extra.time":"kept"}"#))
  }

  @Test func anErrorBecomesAnException() throws {
    logger().error("Failed to write", error: StoreIsGone())
    let line = try #require(parsed().first)
    #expect((line["exception.class"] as? String)?.hasSuffix("StoreIsGone") == true)
    #expect(line["exception.message"] as? String == "Failed to write")
    #expect(line["extra.error"] as? String == "the store \"primary\" is gone")
    #expect(line["message"] == nil)
  }

  /// Every character that has to be escaped, and some that do not, read back by a parser that is not ours.
  @Test func everyCharacterSurvives() throws {
    let controls = String(String.UnicodeScalarView((0...0x2F).map { Unicode.Scalar(UInt8($0)) }))
    let text = controls + "\u{7F}\u{80}\u{2028}\u{2029}\\ä€🦩\u{10FFFF}e\u{301}"
    logger().info("\(text)", metadata: [text: .string(text), "list": [.string(text)]])
    let line = try #require(lines().first)
    #expect(!line.utf8.contains { $0 < 0x20 })
    let fields = try #require(parsed().first)
    #expect((fields["message"] as? String).map { Array($0.utf8) } == Array(text.utf8))
    #expect((fields[text] as? String).map { Array($0.utf8) } == Array(text.utf8))
    #expect((fields["list"] as? [String])?.first.map { Array($0.utf8) } == Array(text.utf8))
  }

  /// Shifted so that the limit falls before and within a character.
  @Test(arguments: 0...3)
  func longTextIsCut(shift: Int) throws {
    let text = String(repeating: "x", count: shift) + String(repeating: "ä\n", count: 50_000)
    logger().info("\(text)", metadata: ["after": "still here"])
    let fields = try #require(parsed().first)
    let message = try #require(fields["message"] as? String)
    #expect(message.hasSuffix("…[truncated]"))
    #expect(text.hasPrefix(message.dropLast("…[truncated]".count)))
    #expect(message.count > 8000)
    #expect(fields["after"] as? String == "still here")
    #expect(fields["truncated"] as? Bool == true)
  }

  /// Whatever the metadata is like, a line is JSON and no longer than 64 KiB.
  @Test(arguments: 1...6)
  func linesStayShortAndValid(shape: Int) throws {
    let long = String(repeating: "\u{1}🦩", count: 20_000)
    var deep: Logger.MetadataValue = "bottom"
    for _ in 0..<10_000 { deep = shape == 1 ? [deep] : ["deeper": deep] }
    let metadata: Logger.Metadata =
      switch shape {
      case 1, 2: ["deep": deep]
      case 3: ["list": .array(Array(repeating: .string(long), count: 50))]
      case 4: Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("key\($0)", "value") })
      case 5: [long: .string(long), long + "2": .string(long), "exception.class": .string(long)]
      default: ["fields": .dictionary(Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("\($0)", [["x"]]) }))]
      }
    logger().info("\(long)", metadata: metadata)
    let line = try #require(lines().first)
    #expect(line.utf8.count <= 64 * 1024)
    let fields = try #require(parsed().first)
    #expect(fields["truncated"] as? Bool == true)
    #expect(fields["severity"] as? String == "INFO")
  }

  @Test(
    arguments: [
      0, 951_782_399_999, 951_782_400_000, 951_868_800_000, 1_709_164_800_000, 4_107_542_400_000, -1,
      -62_135_596_800_000,
      253_402_300_799_999, 1_793_404_799_999, 68_169_600_001,
    ] as [Int64]
  )
  func timesAreThoseOfTheCalendar(milliseconds: Int64) throws {
    logger(at: milliseconds).info("x")
    // GNU date, which knows the proleptic Gregorian calendar; Foundation's goes Julian before 1582.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/date")
    let seconds = Int64((Double(milliseconds) / 1000).rounded(.down))
    process.arguments = ["-u", "-d", "@\(seconds)", "+%Y-%m-%dT%H:%M:%S"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let date = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let fraction = String(1000 + milliseconds - seconds * 1000).dropFirst()
    let expected = date.trimmingCharacters(in: .newlines) + ".\(fraction)Z"
    #expect(try parsed().first?["time"] as? String == expected)
  }

  @Test func theSystemsClockIsTheDefault() throws {
    let before = Date()
    Logger(label: "x") { JSONLogHandler(sink: sink, label: $0) }.info("x")
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    let time = try #require(parsed().first?["time"] as? String)
    let date = try #require(formatter.date(from: time))
    #expect(date.timeIntervalSince(before) > -0.002)
    #expect(date.timeIntervalSinceNow <= 0.002)
  }
}

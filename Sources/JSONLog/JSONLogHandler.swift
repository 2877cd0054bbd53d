// swift-log's events as lines of JSON with the fields of GitLab's exceptions_json.log, which alerting looks for.

public import Logging

/// A log handler that writes to a ``JSONLogSink``.
///
/// A line has the fields `severity`, `time` (UTC, milliseconds), `correlation_id` (null unless in the metadata), then
/// `exception.class` and `exception.message` if the metadata has an `exception.class` or the event an error, otherwise
/// `message` and `logger`; then every other metadata field under its own name, sorted. A metadata field that is called
/// like one of these gets `extra.` before its name.
public struct JSONLogHandler: LogHandler {
  /// Returns the time of an event.
  public typealias Clock = @Sendable () -> LogTime

  /// The lowest level that is written.
  public var logLevel: Logger.Level

  /// Fields of every line of this logger.
  public var metadata: Logger.Metadata = [:]

  /// Provides fields when a line is written. They take precedence over ``metadata``, and a line's own fields over them.
  public var metadataProvider: Logger.MetadataProvider?

  /// Field names that the handler writes itself.
  private static let reservedKeys: Set<String> = [
    "severity", "time", "correlation_id", "message", "logger", "exception.class", "exception.message", "truncated",
  ]

  private let sink: JSONLogSink
  private let label: String
  private let exceptionFields: [String]
  private let clock: Clock

  /// Creates a handler for `LoggingSystem.bootstrap` or `Logger(label:factory:)`.
  ///
  /// - Parameters:
  ///   - sink: The destination of the lines.
  ///   - label: The logger's name, in the field `logger`.
  ///   - level: The lowest level that is written.
  ///   - exceptionFields: Fields that each line with an `exception.class` has, null where the event has none.
  ///   - metadataProvider: Provides fields when a line is written.
  ///   - clock: Returns the time; tests set one of their own.
  public init(
    sink: JSONLogSink,
    label: String,
    level: Logger.Level = .info,
    exceptionFields: [String] = [],
    metadataProvider: Logger.MetadataProvider? = nil,
    clock: @escaping Clock = { LogTime.now() }
  ) {
    self.sink = sink
    self.label = label
    self.exceptionFields = exceptionFields
    logLevel = level
    self.metadataProvider = metadataProvider
    self.clock = clock
  }

  /// One field of ``metadata``.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Queues an event's line. It never blocks.
  public func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
    if let own = event.metadata { fields.merge(own) { _, new in new } }
    if let error = event.error { JSONLogHandler.describe(error, in: &fields) }

    var line = JSONLine()
    line.append("severity", JSONLogHandler.severity(event.level))
    line.append("time", clock().iso8601)
    line.append("correlation_id", fields["correlation_id"])
    if let exceptionClass = fields["exception.class"] {
      line.append("exception.class", exceptionClass)
      line.append("exception.message", event.message.description)
      for field in exceptionFields where fields[field] == nil { fields[field] = .stringConvertible(JSONNull()) }
    } else {
      line.append("message", event.message.description)
      line.append("logger", label)
    }
    for (key, value) in JSONLogHandler.namedApart(fields).sorted(by: { $0.key < $1.key }) {
      line.append(key, value)
    }
    sink.write(line: line.finished())
  }

  /// Returns GitLab's name of a level.
  private static func severity(_ level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "DEBUG"
    case .info, .notice: "INFO"
    case .warning: "WARN"
    case .error: "ERROR"
    case .critical: "FATAL"
    }
  }

  /// Adds the error of an event to the exception fields that the caller has not set.
  private static func describe(_ error: any Error, in fields: inout Logger.Metadata) {
    if fields["exception.class"] == nil { fields["exception.class"] = .string(String(reflecting: type(of: error))) }
    if fields["extra.error"] == nil { fields["extra.error"] = .string(String(describing: error)) }
  }

  /// Returns the fields that the handler does not write itself, renamed where they have the name of one that it writes.
  private static func namedApart(_ fields: Logger.Metadata) -> Logger.Metadata {
    var result: Logger.Metadata = [:]
    for (key, value) in fields {
      if !reservedKeys.contains(key) {
        result[key] = value
      } else if key != "correlation_id" && key != "exception.class" && fields["extra." + key] == nil {
        result["extra." + key] = value
      }
    }
    return result
  }
}

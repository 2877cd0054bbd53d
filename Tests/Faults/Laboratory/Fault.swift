/// A fault that is brought about while clients work.
public enum Fault: String, CaseIterable, Sendable {
  case stopped
  case blackHoled
  case mute
  case killed
  case emptied
  case ignoring
  case hanging
  case slow
  case flapping
  case halfClosed
  case writesPaused
  case full
  case readOnly
  case connectionsKilled
  case idleTimeout
  case older
  case sidecarKilled

  /// The part of the deployment that has the fault.
  public enum Part: String, CaseIterable, Sendable {
    case otherStore = "other store"
    case defaultStore = "default store"
    case sidecar
  }

  /// The delay of each reply while the fault is ``slow``.
  static let slowness = Duration.milliseconds(900)
  /// The time between the changes of ``flapping``.
  static let flapPeriod = Duration.seconds(1)
  /// How often connections are killed while the fault is ``connectionsKilled``.
  static let kills = 10

  /// The fault in words, as the table has it.
  public var title: String {
    switch self {
    case .stopped: "stands still (SIGSTOP)"
    case .blackHoled: "black-holed: bytes vanish, connecting gets no answer"
    case .mute: "executes and never answers"
    case .killed: "killed, back with its data"
    case .emptied: "killed, back at once and empty"
    case .ignoring: "loses its connections, accepts new ones, never answers"
    case .hanging: "answers the handshake, then hangs"
    case .slow: "answers each command after 900 ms"
    case .flapping: "up and down every second"
    case .halfClosed: "half-closes its connections"
    case .writesPaused: "CLIENT PAUSE … WRITE"
    case .full: "full (maxmemory, noeviction)"
    case .readOnly: "read-only (a replica)"
    case .connectionsKilled: "all connections killed ten times (CLIENT KILL)"
    case .idleTimeout: "closes idle connections (timeout 1)"
    case .older: "too old for the default store's dumps"
    case .sidecarKilled: "killed (SIGKILL), started again"
    }
  }

  /// The parts that can have it.
  var parts: [Part] {
    switch self {
    case .stopped, .blackHoled, .killed, .connectionsKilled, .idleTimeout: [.otherStore, .defaultStore]
    case .sidecarKilled: [.sidecar]
    default: [.otherStore]
    }
  }

  /// Whether a relay stands before the store that has it.
  var needsRelay: Bool {
    switch self {
    case .blackHoled, .mute, .ignoring, .hanging, .slow, .flapping, .halfClosed: true
    default: false
    }
  }

  /// Whether the store keeps its data when it is killed.
  var needsPersistence: Bool { self == .killed }

  /// Whether clients work in bursts with pauses that are longer than the store's idle timeout.
  var needsPauses: Bool { self == .idleTimeout }

  /// Whether it has to be there before the clients begin.
  var isPermanent: Bool { self == .older }
}

internal import Testing

@testable internal import MultiStore

@Suite("The state machine of a flip")
struct FlipStateTests {
  /// The routings of the four states.
  private enum Target: String, CaseIterable {
    case off, dual, dualPrimary, primaryOnly

    var flags: FlagState {
      FlagState(
        dualWrite: self == .dual || self == .dualPrimary,
        primaryAsDefault: self == .dualPrimary || self == .primaryOnly
      )
    }

    var routing: Routing { Routing(flags: flags, canUsePrimary: true, readPolicy: .fallback) }

    static func name(_ routing: Routing) -> String {
      allCases.first { $0.routing == routing }.map(\.rawValue) ?? "\(routing)"
    }
  }

  private enum Event: Hashable {
    case change(Target)
    case lateMove
    /// Nothing is in flight, and subscribers, if any, are prepared or have switched.
    case advance(subscribers: Bool)
    case fencePassed
    case earlierFencePassed
    case limitPassed
  }

  /// A flip whose current routing is `off`, and whose fences are known.
  private struct Machine {
    var flip = Flip(current: Target.off.routing)
    var fence: Flip.Fence?
    var earlierFence: Flip.Fence?

    /// An earlier flip left a fence in flight when its limit passed.
    init(after events: [Event] = []) {
      for event in [.change(.dual), .advance(subscribers: false), .limitPassed, .change(.off)] as [Event] {
        _ = apply(event)
      }
      _ = apply(.advance(subscribers: false))
      (fence, earlierFence) = (nil, fence)
      for event in events { _ = apply(event) }
    }

    mutating func apply(_ event: Event) -> String {
      switch event {
      case .change(let target):
        switch flip.flagsChanged(target.flags, to: target.routing) {
        case .none: return "none"
        case .settle(let settlement): return name(settlement)
        case .hold(let hold): return name(hold)
        }
      case .lateMove: return name(flip.lateMoveBegan())
      case .advance(let subscribers): return advance(Flip.Progress(hasPreparedSubscriptions: subscribers))
      case .fencePassed: return fence.map { "\(flip.fencePassed($0))" } ?? "none"
      case .earlierFencePassed: return earlierFence.map { "\(flip.fencePassed($0))" } ?? "no earlier fence"
      case .limitPassed: return flip.limitPassed().map(name) ?? "none"
      }
    }

    mutating func advance(_ progress: Flip.Progress) -> String {
      switch flip.advance(progress) {
      case .none: return "none"
      case .fence(let fence, let role):
        self.fence = fence
        return "fence \(role.label)"
      case .settle(let settlement): return name(settlement)
      }
    }

    /// The current routing, the state, and what it carries.
    var name: String {
      let state =
        switch flip.state {
        case .settled: "settled"
        case .gathering(let next): "gathering \(Target.name(next))"
        case .fencing(let next, _, let isOutdated): "fencing \(Target.name(next))\(isOutdated ? ", outdated" : "")"
        case .switching(let next, let isOutdated): "switching \(Target.name(next))\(isOutdated ? ", outdated" : "")"
        }
      return "\(Target.name(flip.current)): \(state)"
    }

    private func name(_ hold: Flip.Hold) -> String {
      "hold \(Target.name(hold.next))\(hold.beginsLimit ? ", limit begins" : "")"
    }

    private func name(_ settlement: Flip.Settlement) -> String {
      "settle \(Target.name(settlement.before)) to \(Target.name(settlement.after))"
        + (settlement.isOutdated ? ", outdated" : "")
    }
  }

  private static let toFencing = [Event.change(.primaryOnly), .advance(subscribers: true)]

  /// The states, and the events that lead to each from the start.
  private static let states: [(name: String, path: [Event])] = [
    ("off: settled", []),
    ("off: gathering dual", [.change(.dual)]),
    ("off: gathering primaryOnly", [.change(.primaryOnly)]),
    ("off: gathering off", [.lateMove]),
    ("off: fencing primaryOnly", toFencing),
    ("off: fencing primaryOnly, outdated", toFencing + [.change(.dual)]),
    ("off: switching primaryOnly", toFencing + [.fencePassed]),
    ("off: switching primaryOnly, outdated", toFencing + [.fencePassed, .change(.dual)]),
  ]

  /// The state after each event, and the action. An event that is not listed traps.
  private static let outcomes: [String: [Event: (next: String, action: String)]] = [
    "off: settled": [
      .change(.off): ("off: settled", "settle off to off"),
      .change(.dual): ("off: gathering dual", "hold dual, limit begins"),
      .change(.primaryOnly): ("off: gathering primaryOnly", "hold primaryOnly, limit begins"),
      .lateMove: ("off: gathering off", "hold off, limit begins"),
      .advance(subscribers: true): ("off: settled", "none"), .advance(subscribers: false): ("off: settled", "none"),
      .fencePassed: ("off: settled", "none"), .earlierFencePassed: ("off: settled", "none"),
      .limitPassed: ("off: settled", "none"),
    ],
    // What begins dual writes waits for a fence, subscribers or not.
    "off: gathering dual": [
      .change(.off): ("off: settled", "settle off to off"), .change(.dual): ("off: gathering dual", "hold dual"),
      .change(.primaryOnly): ("off: gathering primaryOnly", "hold primaryOnly"),
      .advance(subscribers: true): ("off: fencing dual", "fence secondary"),
      .advance(subscribers: false): ("off: fencing dual", "fence secondary"),
      .fencePassed: ("off: gathering dual", "none"), .earlierFencePassed: ("off: gathering dual", "none"),
      .limitPassed: ("dual: settled", "settle off to dual"),
    ],
    "off: gathering primaryOnly": [
      .change(.off): ("off: settled", "settle off to off"), .change(.dual): ("off: gathering dual", "hold dual"),
      .change(.primaryOnly): ("off: gathering primaryOnly", "hold primaryOnly"),
      .advance(subscribers: true): ("off: fencing primaryOnly", "fence secondary"),
      .advance(subscribers: false): ("primaryOnly: settled", "settle off to primaryOnly"),
      .fencePassed: ("off: gathering primaryOnly", "none"),
      .earlierFencePassed: ("off: gathering primaryOnly", "none"),
      .limitPassed: ("primaryOnly: settled", "settle off to primaryOnly"),
    ],
    // The time for which commands wait begins anew when a real flip follows a late move.
    "off: gathering off": [
      .change(.off): ("off: settled", "settle off to off"),
      .change(.dual): ("off: gathering dual", "hold dual, limit begins"),
      .change(.primaryOnly): ("off: gathering primaryOnly", "hold primaryOnly, limit begins"),
      .advance(subscribers: true): ("off: fencing off", "fence secondary"),
      .advance(subscribers: false): ("off: settled", "settle off to off"),
      .fencePassed: ("off: gathering off", "none"), .earlierFencePassed: ("off: gathering off", "none"),
      .limitPassed: ("off: settled", "settle off to off"),
    ],
    "off: fencing primaryOnly": between("fencing primaryOnly", fencePassed: "switching primaryOnly", isOutdated: false),
    "off: fencing primaryOnly, outdated":
      between("fencing primaryOnly", fencePassed: "switching primaryOnly", isOutdated: true),
    "off: switching primaryOnly": between("switching primaryOnly", fencePassed: nil, isOutdated: false),
    "off: switching primaryOnly, outdated": between("switching primaryOnly", fencePassed: nil, isOutdated: true),
  ]

  /// The outcomes in the states in which clients are between the stores.
  private static func between(
    _ state: String,
    fencePassed: String?,
    isOutdated: Bool
  ) -> [Event: (next: String, action: String)] {
    let suffix = isOutdated ? ", outdated" : ""
    let unchanged = ("off: \(state)\(suffix)", "none")
    let settled = ("primaryOnly: settled", "settle off to primaryOnly\(suffix)")
    var outcomes: [Event: (next: String, action: String)] = [
      .earlierFencePassed: unchanged, .limitPassed: settled,
      .advance(subscribers: true): fencePassed == nil ? settled : unchanged,
      .advance(subscribers: false): fencePassed == nil ? settled : unchanged,
      .fencePassed: fencePassed.map { ("off: \($0)\(suffix)", "switchSubscriptions") } ?? unchanged,
    ]
    for target in [Target.off, .dual, .primaryOnly] { outcomes[.change(target)] = ("off: \(state), outdated", "none") }
    return outcomes
  }

  @Test("Every event leads from every state where the table says")
  func transitions() throws {
    for (name, path) in Self.states {
      #expect(Machine(after: path).name == name)
      for (event, (next, action)) in try #require(Self.outcomes[name]) {
        var machine = Machine(after: path)
        #expect(machine.apply(event) == action, "\(event) in \(name)")
        #expect(machine.name == next, "\(event) in \(name)")
      }
    }
  }

  @Test("A late move in the middle of a flip traps, and names itself and the state", arguments: 1..<states.count)
  func traps(state: Int) async throws {
    #expect(try #require(Self.outcomes[Self.states[state].name])[.lateMove] == nil)
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [state] in
      var machine = Machine(after: Self.states[state].path)
      _ = machine.apply(.lateMove)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    let name = "\(Machine(after: Self.states[state].path).flip.state)"
    #expect(text.contains("late move began") && text.contains("in the state \(name)"), "\(text)")
  }

  @Test("A flip waits for executions; one that moves the default store, for clients as well")
  func progress() {
    for before in Target.allCases {
      for after in Target.allCases where after != before {
        let isMove = before.routing.defaultStore != after.routing.defaultStore
        for (isExecuting, awaitsClients, isPrepared) in Self.combinations {
          var machine = Machine()
          machine.flip = Flip(current: before.routing)
          _ = machine.apply(.change(after))
          let action = machine.advance(
            Flip.Progress(
              isExecuting: isExecuting,
              awaitsClients: awaitsClients,
              hasPreparedSubscriptions: isPrepared
            )
          )
          let needsFence = isPrepared || (!before.routing.isDual && after.routing.isDual)
          let expected =
            if isExecuting || (isMove && awaitsClients) {
              "none"
            } else if needsFence {
              "fence \(before.routing.defaultStore.label)"
            } else {
              "settle \(before.rawValue) to \(after.rawValue)"
            }
          #expect(action == expected, "\(before) to \(after): \(isExecuting), \(awaitsClients), \(isPrepared)")
        }
      }
    }
  }

  @Test("A flip waits for what its store still lacks if that becomes the default store")
  func preparing() {
    for (target, isMove) in [(Target.primaryOnly, true), (.dual, false)] {
      var machine = Machine(after: [.change(target)])
      let action = machine.advance(Flip.Progress(isPreparingStore: true))
      #expect((action == "none") == isMove, "\(target): \(action)")
    }
  }

  @Test("A flip waits for subscribers to leave the old default store")
  func switching() {
    var machine = Machine(after: Self.toFencing + [.fencePassed])
    #expect(machine.advance(Flip.Progress(hasSwitchingSubscriptions: true)) == "none")
    #expect(machine.name == "off: switching primaryOnly")
    #expect(machine.advance(Flip.Progress(isExecuting: true, awaitsClients: true)) == "settle off to primaryOnly")
  }

  @Test("The flags that were seen are those of the routing in force, or of the flip that waits")
  func flags() {
    for (name, path) in Self.states {
      var machine = Machine(after: path)
      let before = machine.flip.flags
      _ = machine.apply(.change(.dualPrimary))
      let isNoted = name.contains("settled") || name.contains("gathering")
      #expect(machine.flip.flags == (isNoted ? Target.dualPrimary.flags : before), "\(name)")
    }
  }

  @Test("A settlement tells what begins and ends with it")
  func settlements() {
    for before in Target.allCases {
      for after in Target.allCases where after != before {
        var flip = Flip(current: before.routing)
        _ = flip.flagsChanged(after.flags, to: after.routing)
        let settlement = flip.limitPassed()
        #expect(settlement?.isMove == (before.flags.primaryAsDefault != after.flags.primaryAsDefault))
        #expect(settlement?.beginsDual == (!before.flags.dualWrite && after.flags.dualWrite))
        #expect(settlement?.endsDual == (before.flags.dualWrite && !after.flags.dualWrite))
      }
    }
  }

  private static let combinations = [true, false].flatMap { first in
    [true, false].flatMap { second in [true, false].map { (first, second, $0) } }
  }
}

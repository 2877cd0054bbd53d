internal import Testing

@testable internal import MultiStore

@Suite("The decisions about the copy of an effect")
struct EffectCopyTests {
  private typealias State = EffectCopy.State
  private typealias Action = EffectCopy.Action

  /// An event, with the inputs that matter.
  private enum Event: CaseIterable {
    case asked, readReplied, effect, noEffect, deadline
    case verbatim, rewritten, keys, ineffective, notRepeatable
    case wrapped, unwrapped, sent
    case executed, refused, keyAbsent, guardMissing, leftFragment, failed
  }

  private static let range = 3..<9

  /// The states, and the events that lead to each from the start.
  private static let states: [(State, [Event])] = [
    (.executing(asksForDeadline: false), []),
    (.executing(asksForDeadline: true), [.asked]),
    (.awaitingDeadline, [.asked, .effect]),
    (.ignoringDeadline, [.asked, .noEffect]),
    (.planning, [.effect]),
    (.planning, [.asked, .effect, .deadline]),
    (.ready(.read), [.readReplied]),
    (.ready(.plain(isComparable: true)), [.effect, .verbatim]),
    (.ready(.plain(isComparable: false)), [.effect, .rewritten]),
    (.ready(.guarded(range, isComparable: true)), [.effect, .verbatim, .wrapped]),
    (.sent(.read), [.readReplied, .sent]),
    (.sent(.plain(isComparable: true)), [.effect, .verbatim, .sent]),
    (.sent(.guarded(range, isComparable: false)), [.effect, .rewritten, .wrapped, .sent]),
    (.copyingKeys(.first), [.effect, .keys]),
    (.copyingKeys(.all), [.effect, .verbatim, .unwrapped]),
    (.copyingKeys(.last), [.effect, .verbatim, .wrapped, .sent, .leftFragment]),
    (.copied, [.effect, .verbatim, .sent, .executed]),
    (.failed, [.effect, .verbatim, .sent, .refused]),
    (.answered, [.readReplied, .sent, .executed]),
    (.uncopied, [.noEffect]),
  ]

  /// The outcome of each event in each state: the state after it and the action, if it returns one. An event that is
  /// not listed traps.
  private static func outcomes(of state: State) -> [Event: (State, Action?)] {
    switch state {
    case .executing(asksForDeadline: false):
      [
        .asked: (.executing(asksForDeadline: true), nil), .readReplied: (.ready(.read), nil),
        .effect: (.planning, .plan), .noEffect: (.uncopied, .finish),
      ]
    case .executing(asksForDeadline: true):
      [.effect: (.awaitingDeadline, .wait), .noEffect: (.ignoringDeadline, .wait)]
    case .awaitingDeadline: [.deadline: (.planning, .plan)]
    case .ignoringDeadline: [.deadline: (.uncopied, .finish)]
    case .planning:
      [
        .verbatim: (.ready(.plain(isComparable: true)), .send),
        .rewritten: (.ready(.plain(isComparable: false)), .send),
        .keys: (.copyingKeys(.first), .copyKeys(.first)), .ineffective: (.uncopied, .finish),
        .notRepeatable: (.uncopied, .leaveUncopied),
      ]
    case .ready(let form): outcomes(ofReady: form)
    case .sent(let form): outcomes(ofSent: form)
    case .copyingKeys, .copied, .failed, .answered, .uncopied: [:]
    }
  }

  private static func outcomes(ofReady form: EffectCopy.Form) -> [Event: (State, Action?)] {
    var outcomes: [Event: (State, Action?)] = [.sent: (.sent(form), nil)]
    switch form {
    case .read: outcomes[.failed] = (.answered, .finish)
    case .plain(let isComparable):
      outcomes[.wrapped] = (.ready(.guarded(range, isComparable: isComparable)), .send)
      outcomes[.unwrapped] = (.copyingKeys(.all), .copyKeys(.all))
      outcomes[.failed] = (.failed, .noteStale)
    case .guarded: outcomes[.failed] = (.failed, .noteStale)
    }
    return outcomes
  }

  private static func outcomes(ofSent form: EffectCopy.Form) -> [Event: (State, Action?)] {
    if form == .read {
      let events: [Event] = [.executed, .refused, .keyAbsent, .guardMissing, .leftFragment, .failed]
      return Dictionary(uniqueKeysWithValues: events.map { ($0, (.answered, .finish)) })
    }
    var outcomes: [Event: (State, Action?)] = [
      .executed: (.copied, .noteFresh), .refused: (.failed, .noteStale), .failed: (.failed, .noteStale),
    ]
    if case .guarded = form {
      outcomes[.keyAbsent] = (.copyingKeys(.all), .copyKeys(.all))
      outcomes[.guardMissing] = (.copyingKeys(.all), .loadGuardAndCopyKeys)
      outcomes[.leftFragment] = (.copyingKeys(.last), .copyKeys(.last))
    }
    return outcomes
  }

  private static func apply(_ event: Event, to effect: inout EffectCopy) -> Action? {
    switch event {
    case .asked: effect.askedForDeadline()
    case .readReplied: effect.readReplied()
    case .effect: return effect.defaultStoreReplied(hasEffect: true)
    case .noEffect: return effect.defaultStoreReplied(hasEffect: false)
    case .deadline: return effect.deadlineKnown()
    case .verbatim: return effect.planned(.verbatim)
    case .rewritten: return effect.planned(.rewritten(isComparable: false))
    case .keys: return effect.planned(.keys(.first))
    case .ineffective: return effect.planned(.noEffect)
    case .notRepeatable: return effect.planned(.notRepeatable)
    case .wrapped: return effect.guarded(at: range)
    case .unwrapped: return effect.guarded(at: nil)
    case .sent: effect.wasSent()
    case .executed: return effect.otherStoreReplied(.executed)
    case .refused: return effect.otherStoreReplied(.refused)
    case .keyAbsent: return effect.otherStoreReplied(.keyAbsent)
    case .guardMissing: return effect.otherStoreReplied(.guardMissing)
    case .leftFragment: return effect.otherStoreReplied(.leftFragment)
    case .failed: return effect.failed()
    }
    return nil
  }

  private static func effect(after events: [Event]) -> EffectCopy {
    var effect = EffectCopy()
    for event in events { _ = apply(event, to: &effect) }
    return effect
  }

  @Test("Every event that is possible in a state has its outcome")
  func table() {
    for (state, events) in Self.states {
      #expect(Self.effect(after: events).state == state)
      for (event, outcome) in Self.outcomes(of: state) {
        var effect = Self.effect(after: events)
        let action = Self.apply(event, to: &effect)
        #expect(effect.state == outcome.0 && action == outcome.1, "\(event) in \(state)")
      }
    }
  }

  @Test("Replies are compared and repaired, and delay the client's, as the state says")
  func properties() {
    for (state, events) in Self.states {
      let effect = Self.effect(after: events)
      switch state {
      case .ready(let form), .sent(let form):
        #expect(effect.form == form && effect.isPending && effect.isRead == (form == .read))
      case .awaitingDeadline, .planning, .copyingKeys: #expect(effect.form == nil && effect.isPending)
      case .copied, .failed: #expect(effect.wasWritten && !effect.isPending)
      default: #expect(effect.form == nil && !effect.isPending && !effect.wasWritten)
      }
      #expect((effect.keysToCopy != nil) == (state.isCopyingKeys), "\(state)")
    }
  }

  @Test("A second reply of the default store traps")
  func secondReply() async {
    await #expect(processExitsWith: .failure) {
      var effect = EffectCopy()
      _ = effect.defaultStoreReplied(hasEffect: false)
      _ = effect.defaultStoreReplied(hasEffect: true)
    }
  }

  @Test("An answer of the guard to a command that was not guarded traps")
  func unguarded() async {
    await #expect(processExitsWith: .failure) {
      var effect = EffectCopy()
      _ = effect.defaultStoreReplied(hasEffect: true)
      _ = effect.planned(.verbatim)
      effect.wasSent()
      _ = effect.otherStoreReplied(.keyAbsent)
    }
  }
}

extension EffectCopy.State {
  fileprivate var isCopyingKeys: Bool { if case .copyingKeys = self { true } else { false } }
}

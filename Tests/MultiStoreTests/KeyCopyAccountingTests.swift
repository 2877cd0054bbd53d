import Hiredis
import Testing

@testable import MultiStore

@Suite struct KeyCopyAccountingTests {
  private typealias Consequences = KeyCopyAccounting.Consequences

  private static let failure = CopyFailure(ConnectionFailure.timedOut)

  private func consequences(
    _ outcome: KeyCopyOutcome,
    _ verb: KeyVerb,
    isInBackground: Bool = false,
    isToDefaultStore: Bool = false,
    keepsTarget: Bool = false
  ) -> Consequences {
    KeyCopyAccounting(
      verb: verb,
      isInBackground: isInBackground,
      isToDefaultStore: isToDefaultStore,
      keepsTarget: keepsTarget
    ).consequences(of: outcome)
  }

  @Test func `a copy that replaces the value clears the mark, and is checked on the other store alone`() {
    for outcome in [KeyCopyOutcome.stored, .missing, .unneeded, .withdrawn] {
      #expect(
        consequences(outcome, .copyOver) == Consequences(clearsMark: true, isChecked: true, isCounted: true)
      )
      #expect(
        consequences(outcome, .copyOver, isInBackground: true)
          == Consequences(clearsMark: true, isChecked: true, isCounted: false)
      )
      #expect(
        consequences(outcome, .copyOver, isToDefaultStore: true)
          == Consequences(clearsMark: true, isChecked: false, isCounted: true)
      )
    }
  }

  @Test func `a value that stays where the source has none is not checked, which would remove it`() {
    #expect(
      consequences(.missing, .copyOver, keepsTarget: true)
        == Consequences(clearsMark: true, isChecked: false, isCounted: true)
    )
  }

  @Test func `a copy that fails leaves its key stale if it was to replace the value`() {
    let failed = KeyCopyOutcome.failed(Self.failure)
    #expect(consequences(failed, .copyOver) == Consequences(mark: .timeout))
    #expect(consequences(failed, .copyOver, isToDefaultStore: true) == Consequences(mark: .timeout))
    #expect(consequences(failed, .copyIfAbsent) == Consequences())
    #expect(consequences(failed, .replace) == Consequences())
  }

  @Test func `a copy that a change of the flags has overtaken leaves the key stale on the other store`() {
    #expect(consequences(.overtaken, .copyOver) == Consequences(mark: .dualWriteOff))
    #expect(consequences(.overtaken, .copyOver, isToDefaultStore: true) == Consequences())
    #expect(consequences(.overtaken, .copyIfAbsent) == Consequences())
  }

  @Test func `a key that was absent is counted when it is stored, and has no mark`() {
    #expect(consequences(.stored, .copyIfAbsent) == Consequences(isCounted: true))
    #expect(consequences(.stored, .copyIfAbsent, isInBackground: true) == Consequences())
    #expect(consequences(.missing, .copyIfAbsent) == Consequences())
    #expect(consequences(.unneeded, .replace) == Consequences())
  }

  @Test func `a refusal concerns large keys for ten seconds`() {
    let refusal = KeyRefusal(failure: Self.failure, at: 5)
    #expect(refusal.concerns(keyOf: KeyRefusal.costlyBytes, at: 5))
    #expect(refusal.concerns(keyOf: KeyRefusal.costlyBytes, at: 5 + 9_999_999_999))
    #expect(!refusal.concerns(keyOf: KeyRefusal.costlyBytes, at: 5 + 10_000_000_000))
    #expect(!refusal.concerns(keyOf: KeyRefusal.costlyBytes - 1, at: 5))
  }
}

import Hiredis
import Testing

@testable import MultiStore

@Suite struct KeyCopyStateTests {
  private typealias Now = KeyCopyState.Circumstances

  private static let failure = CopyFailure(ConnectionFailure.timedOut)
  private static let refusal = CopyFailure(tooLargeFor: .primary)

  /// A copy to the other store, or to the default one.
  private func copy(
    _ verb: KeyVerb = .copyOver,
    isInBackground: Bool = false,
    isForDefaultStore: Bool = false
  ) -> KeyCopyState {
    KeyCopyState(verb, isInBackground: isInBackground, isForDefaultStore: isForDefaultStore)
  }

  /// A copy that awaits its dump.
  private func askedForDump(
    _ verb: KeyVerb = .copyOver,
    isInBackground: Bool = false,
    isForDefaultStore: Bool = false
  ) -> KeyCopyState {
    var state = copy(verb, isInBackground: isInBackground, isForDefaultStore: isForDefaultStore)
    #expect(state.begins(takesCommands: true) == .askForSize)
    #expect(state.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: false) == .askForDump)
    return state
  }

  @Test(arguments: [KeyVerb.copyOver, .copyIfAbsent])
  func `a key is measured, dumped and stored`(verb: KeyVerb) {
    var state = askedForDump(verb)
    #expect(state.dumpArrived(Now()) == .restore)
    #expect(state.restoreReplied(.stored, isToDefaultStore: false) == .finish(.stored))
    #expect(state.state == .ended)
  }

  @Test func `several small keys are dumped before their copies have begun`() {
    var state = copy(.copyIfAbsent)
    #expect(state.dumpArrived(Now()) == .restore)
    #expect(state.restoreReplied(.isPresent, isToDefaultStore: false) == .finish(.unneeded))
    var large = copy(.copyIfAbsent)
    #expect(large.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: false) == .askForDump)
    var withdrawn = copy(.copyIfAbsent)
    #expect(withdrawn.wasWithdrawn() == .finish(.withdrawn))
  }

  @Test func `a target that takes no commands fails the copy before the source dumps the key`() {
    var atOnce = copy()
    #expect(atOnce.begins(takesCommands: false) == .failUnsent)
    #expect(atOnce.targetFailed(Self.failure) == .finish(.failed(Self.failure)))
    var later = copy()
    #expect(later.begins(takesCommands: true) == .askForSize)
    #expect(later.sizeKnown(takesCommands: false, refusal: nil, refusesDumps: false) == .failUnsent)
    #expect(later.targetFailed(Self.failure) == .finish(.failed(Self.failure)))
  }

  @Test func `a target that has refused such a key lately gets it in the background alone, or as the default store`() {
    for (isInBackground, isForDefaultStore) in [(false, false), (true, false), (false, true)] {
      var state = copy(isInBackground: isInBackground, isForDefaultStore: isForDefaultStore)
      #expect(state.begins(takesCommands: true) == .askForSize)
      let action = state.sizeKnown(takesCommands: true, refusal: Self.refusal, refusesDumps: false)
      #expect(action == (isInBackground || isForDefaultStore ? .askForDump : .finish(.failed(Self.refusal))))
    }
  }

  @Test func `a dump that the target can't read is followed by the contents`() {
    var state = askedForDump()
    #expect(state.dumpArrived(Now()) == .restore)
    #expect(state.restoreReplied(.dumpRefused, isToDefaultStore: false) == .beginAgain)
    #expect(state.begins(takesCommands: true) == .askForSize)
    #expect(state.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: false) == .copyContents)
    #expect(state.dumpWasRefused)
    #expect(state.contentsEnded(.ended(.stored), Now()) == .finish(.stored))
    var known = copy()
    #expect(known.begins(takesCommands: true) == .askForSize)
    #expect(known.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: true) == .copyContents)
    #expect(!known.dumpWasRefused)
  }

  @Test func `a key that the source lacks is deleted on the target`() {
    var state = askedForDump()
    #expect(state.sourceLacksKey(Now()) == .delete)
    #expect(state.deleteReplied(nil) == .finish(.missing))
    var byContents = copy()
    #expect(byContents.begins(takesCommands: true) == .askForSize)
    #expect(byContents.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: true) == .copyContents)
    #expect(byContents.contentsEnded(.ended(.missing), Now()) == .delete)
    #expect(byContents.deleteReplied(Self.failure) == .finish(.failed(Self.failure)))
  }

  @Test func `a value that only the old store may have stays`() {
    var absent = askedForDump(.copyIfAbsent)
    #expect(absent.sourceLacksKey(Now()) == .finish(.missing))
    var state = askedForDump(isForDefaultStore: true)
    let now = Now(isToDefaultStore: true, isStaleOnTarget: true, keepsOldValue: true)
    #expect(state.sourceLacksKey(now) == .finish(.missing))
    #expect(state.keepsTarget)
  }

  @Test func `a value that can't be stored deletes the outdated one, but not the default store's`() {
    var state = askedForDump()
    #expect(state.dumpArrived(Now()) == .restore)
    #expect(state.restoreReplied(.failed(Self.refusal), isToDefaultStore: false) == .delete)
    #expect(state.deleteReplied(Self.failure) == .finish(.failed(Self.refusal)), "the first failure counts")
    var lost = askedForDump()
    #expect(lost.dumpArrived(Now()) == .restore)
    #expect(lost.restoreReplied(.failed(Self.refusal), isToDefaultStore: false) == .delete)
    #expect(lost.targetFailed(Self.failure) == .finish(.failed(Self.refusal)))
    var toDefault = askedForDump(isForDefaultStore: true)
    let now = Now(isToDefaultStore: true, isStaleOnTarget: true)
    #expect(toDefault.dumpArrived(now) == .restore)
    #expect(
      toDefault.restoreReplied(.failed(Self.refusal), isToDefaultStore: true) == .finish(.failed(Self.refusal))
    )
    var absent = askedForDump(.copyIfAbsent)
    #expect(absent.dumpArrived(Now()) == .restore)
    #expect(absent.restoreReplied(.failed(Self.refusal), isToDefaultStore: false) == .finish(.failed(Self.refusal)))
  }

  @Test func `a copy that a store does not answer fails`() {
    var unmeasured = copy()
    #expect(unmeasured.begins(takesCommands: true) == .askForSize)
    #expect(unmeasured.sourceFailed(Self.failure) == .finish(.failed(Self.failure)))
    var undumped = askedForDump()
    #expect(undumped.sourceFailed(Self.failure) == .finish(.failed(Self.failure)))
    var unstored = askedForDump()
    #expect(unstored.dumpArrived(Now()) == .restore)
    #expect(unstored.targetFailed(Self.failure) == .finish(.failed(Self.failure)))
    var contents = copy()
    #expect(contents.begins(takesCommands: true) == .askForSize)
    #expect(contents.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: true) == .copyContents)
    #expect(contents.contentsEnded(.unanswered(Self.failure), Now()) == .finish(.failed(Self.failure)))
  }

  @Test func `a key that is made between the questions is read again, but not for ever`() {
    var state = askedForDump()
    for _ in 1..<KeyCopyState.mostQuestions {
      #expect(state.deadlineMissing(otherwise: Self.failure) == .beginAgain)
      #expect(state.begins(takesCommands: true) == .askForSize)
      #expect(state.sizeKnown(takesCommands: true, refusal: nil, refusesDumps: false) == .askForDump)
    }
    #expect(state.deadlineMissing(otherwise: Self.failure) == .finish(.failed(Self.failure)))
  }

  @Test func `a key whose value is settled otherwise is not copied`() {
    var replaced = copy(.replace)
    #expect(replaced.isUnneeded() == .finish(.unneeded))
    var emptied = askedForDump()
    #expect(emptied.targetWasEmptied() == true)
    #expect(emptied.targetWasEmptied() == false, "it is deleted once")
    #expect(emptied.dumpArrived(Now()) == .finish(.unneeded))
    var replacement = copy(.replace)
    #expect(replacement.targetWasEmptied() == false)
  }

  /// What has happened until the value arrives, and the outcome that this means.
  @Test func `a value that arrives too late is not stored`() {
    var cases: [(KeyCopyState, Now, KeyCopyState.Action)] = []
    // A client waits for it: dual write was on when its command was executed.
    cases.append((askedForDump(), Now(isDual: false), .restore))
    cases.append((askedForDump(isInBackground: true), Now(isDual: false), .finish(.overtaken)))
    // The default store has moved to the target: its value is newer, unless it is known to be stale.
    let moved = Now(isToDefaultStore: true)
    cases.append((askedForDump(isInBackground: true), moved, .finish(.overtaken)))
    cases.append((askedForDump(isInBackground: true), Now(isToDefaultStore: true, isStaleOnTarget: true), .restore))
    // To the default store: its value may have been accepted meanwhile.
    cases.append((askedForDump(isForDefaultStore: true), moved, .finish(.unneeded)))
    cases.append((askedForDump(.copyIfAbsent, isForDefaultStore: true), moved, .restore))
    let lost = Now(isToDefaultStore: true, isStaleOnTarget: true, sourceWasReplaced: Self.failure)
    cases.append((askedForDump(isForDefaultStore: true), lost, .finish(.failed(Self.failure))))
    for (state, now, action) in cases {
      var state = state
      #expect(state.dumpArrived(now) == action)
    }
  }
}

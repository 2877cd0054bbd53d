import Foundation
import TestSupport
import Testing

/// A migration from Redis 7.0 to Valkey 9 by the runbook: its own commands, in its own order, while clients work.
@Suite("Runbook, rehearsed")
struct RunbookRehearsalTests {
  /// What the judge can tell at once; anything else wants to be watched for a quarter of an hour or a day.
  private static let immediate: Set = [
    "different_servers", "new_store_empty", "trusted", "stale_keys", "backfilled", "verified",
  ]
  /// What only time can meet. Nothing went to the old store in the last quarter of an hour only when it was let go
  /// that long ago.
  private static let timely: Set = ["soak", "old_store_idle"]
  /// The sidecar looks at the stores' keys every 15 seconds, and not when they have much to do.
  private static let patience = Duration.seconds(120)
  /// What the sidecar asks the old store of its own accord, and what the runbook's commands do.
  private static let harmless: Set = ["info", "randomkey", "pttl", "ping"]

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `by the runbook an application moves to another server, and no command of its clients fails`() throws {
    let rehearsal = try Rehearsal()
    let traffic = try RunbookTraffic { [sidecar = rehearsal.sidecar] in try sidecar.client(instance: "sessions") }
    try getReady(rehearsal, traffic)
    try writeToBoth(rehearsal, traffic)
    try moveDefault(rehearsal, traffic)
    try letGo(rehearsal, traffic)
    // Dual writes are off, so that nobody needs the old store any more.
    rehearsal.old.kill()
    try traffic.goesOn(rounds: 50)
    let clients = try traffic.finish()
    let store = try rehearsal.new.client()
    for client in clients { #expect(try client.differences(from: store) == []) }
    try cleanUp(rehearsal)
    let all = rehearsal.runbook.blocks.compactMap(\.name)
    #expect(rehearsal.shell.taken == all, "the rehearsal follows the runbook from its beginning to its end")
  }

  /// Steps 0 to 2.
  private func getReady(_ rehearsal: Rehearsal, _ traffic: RunbookTraffic) throws {
    let shell = rehearsal.shell
    #expect(try shell.run("check_sidecar").contains("PONG"))
    #expect(try shell.run("bypass") == "", "nobody goes past the sidecar")
    let stranger = try rehearsal.old.client()
    _ = try stranger.command("GET", "anything")
    #expect(try shell.run("bypass").contains("cmd=get"), "a client that goes past the sidecar is seen")
    stranger.close()
    try traffic.goesOn()
    // Ten rounds can take less time than the next publication of the counts.
    try eventually("the traffic is in the inventory") {
      try rehearsal.sidecar.metrics().sum("multistore_inventory_commands_total", ["command": "blpop"]) > 0
    }
    let observed = try shell.run("observe")
    #expect(observed.contains("blpop") && !observed.contains("method_missing_total{"))
    let store = try shell.run("new_store")
    #expect(store.contains("redis_version:7.0") && store.contains("valkey_version:9") && !store.contains("same_store"))
    let probe = try shell.run("probe")
    #expect(probe.contains("old to new: OK"))
    #expect(probe.contains("new to old: ERR DUMP payload version"))
    try check("dual_write_on", in: "2. Get the new store ready", rehearsal)
    let labels = ["instance_name": "sessions"]
    try eventually("the metrics say so too") {
      let metrics = try rehearsal.sidecar.metrics()
      let isEmpty = ["criterion": "new_store_empty"].merging(labels) { $1 }
      return metrics["multistore_next_step_criterion_met", isEmpty] == 1
        && metrics["multistore_next_step_ready", labels] == 0
    }
    #expect(try rehearsal.new.client().command("DBSIZE") == .integer(0))
  }

  /// Steps 3 to 5, with the way back.
  private func writeToBoth(_ rehearsal: Rehearsal, _ traffic: RunbookTraffic) throws {
    let shell = rehearsal.shell
    try shell.run("dual_write_on")
    try rehearsal.waitForState(1)
    try traffic.goesOn()
    #expect(try !shell.run("dual_write_look").contains("copy_failures"))
    try shell.run("dual_write_back")
    try awaitLastCopies(0, rehearsal, traffic)
    try rehearsal.new.client().expect(["FLUSHDB"], .ok)
    try traffic.goesOn()
    #expect(try rehearsal.new.client().command("DBSIZE") == .integer(0))
    try shell.run("dual_write_on")
    try rehearsal.waitForState(1)
    try traffic.goesOn()
    try rehearsal.sidecar.client(instance: "sessions").expect(["GET", OldData.string.key], .text(OldData.string.value))
    #expect(try shell.run("backfill").contains("ended: all keys are there"))
    #expect(try shell.run("backfill_look").contains("backfill"))
    let (old, new) = (try rehearsal.old.client(), try rehearsal.new.client())
    try eventually("what nobody writes is on both, or has expired") {
      if let difference = try OldData.difference(old: old, new: new) { throw TestSupportError(.malformed, difference) }
      return true
    }
    let fallbacks = try total(MultiStoreNames.readFallback, rehearsal)
    #expect(fallbacks > 0)
    try traffic.goesOn()
    #expect(try shell.run("verify").contains("ended: the stores are equal"))
    try check("default_on", in: "5. Verify", rehearsal)
    #expect(try shell.run("verify_report").contains("ended: the stores are equal"))
    #expect(try total(MultiStoreNames.readFallback, rehearsal) == fallbacks, "no read needs the old store any more")
  }

  /// Steps 6 and 7, with the way back.
  private func moveDefault(_ rehearsal: Rehearsal, _ traffic: RunbookTraffic) throws {
    let shell = rehearsal.shell
    let names = [MultiStoreNames.readFallback, MultiStoreNames.pipelinedDiff]
    let before = try names.map { try total($0, rehearsal) }
    for block in ["default_on", "default_look", "default_back", "default_on", "soak", "soak_verify"] {
      try traffic.whileQueuesAreEmpty {
        try shell.run(block)
        try rehearsal.waitForState(block == "default_back" ? 1 : 2)
      }
      try traffic.goesOn()
    }
    try check("dual_write_off", in: "7. Soak", rehearsal)
    #expect(try names.map { try total($0, rehearsal) } == before, "nothing is missing, and nothing differs")
  }

  /// Step 8.
  private func letGo(_ rehearsal: Rehearsal, _ traffic: RunbookTraffic) throws {
    let shell = rehearsal.shell
    #expect(try shell.run("old_store_before").contains("Safe to turn dual writes off?"))
    try shell.run("dual_write_off")
    try awaitLastCopies(3, rehearsal, traffic)
    // Counts the old store's commands anew.
    try shell.run("dual_write_off")
    try traffic.goesOn(rounds: 30)
    let asked = try shell.run("old_store_after").split(separator: "\n").compactMap { line in
      line.firstMatch(of: /cmdstat_(\S+)/).map { String($0.1) }
    }
    #expect(Set(asked).isSubset(of: Self.harmless), "the old store is asked nothing but \(Self.harmless.sorted())")
    try check("remove_old_store", in: "8. Dual write off", rehearsal)
    let metrics = try rehearsal.sidecar.metrics()
    for name in ["multistore_copy_failures_total", MultiStoreNames.methodMissing] {
      #expect(metrics.sum(name) == 0, "\(name)")
    }
    // The old store gets nothing any more, and each key that is written is stale there.
    #expect(metrics.sum("multistore_stale_keys", ["store": "primary"]) == 0)
    for reason in ["error", "unavailable", "lost", "timeout", "queue_full"] {
      #expect(metrics.sum("multistore_commands_total", ["outcome": reason]) == 0, "\(reason)")
    }
  }

  /// Waits until dual write has ended, and each client has the reply to a command that it sent before: a change of a
  /// flag is answered before the flip has settled, and on a slow machine the last copies follow the runbook's next
  /// command, for which a person takes longer.
  private func awaitLastCopies(_ state: Double, _ rehearsal: Rehearsal, _ traffic: RunbookTraffic) throws {
    try rehearsal.waitForState(state)
    try traffic.goesOn(rounds: 1)
  }

  /// Step 9.
  private func cleanUp(_ rehearsal: Rehearsal) throws {
    let shell = rehearsal.shell
    try rehearsal.restart()
    let keys = try shell.run("remove_flags")
    #expect(keys.contains("db0:keys="))
    #expect(try !rehearsal.flags().contains("sessions"))
    let flag = ["flag": "use_primary_store_as_default", "instance_name": "sessions"]
    try eventually("the flag has gone") {
      let metrics = try rehearsal.sidecar.metrics()
      return metrics["multistore_feature_flag", flag] == 0
        && metrics["multistore_feature_flag_last_reload_successful"] == 1
    }
    let client = try rehearsal.sidecar.client(instance: "sessions")
    try client.expect(["GET", OldData.string.key], .text(OldData.string.value))
  }

  /// Holds the judge's criteria against the runbook, and waits until nothing but time is in the way of a step.
  private func check(_ step: String, in section: String, _ rehearsal: Rehearsal) throws {
    let table = rehearsal.runbook.rows(ofTable: "criterion")
    let names = Set(table.map { $0[0].trimmingCharacters(in: ["`"]) })
    let wanted = rehearsal.runbook.paragraph("Go on when", of: section)
    try eventually("nothing but time stands against \(step)", within: Self.patience) {
      let criteria = try rehearsal.nextStep()["criteria"]?.elements ?? []
      let open = criteria.filter { criterion in
        let (name, result) = (criterion["criterion"]?.string ?? "", criterion["result"]?.string ?? "")
        return !Self.timely.contains(name) && (Self.immediate.contains(name) ? result != "met" : result == "not_met")
      }
      guard open.isEmpty else { throw TestSupportError(.malformed, "\(open)") }
      return !criteria.isEmpty
    }
    let next = try rehearsal.nextStep()
    #expect(next["step"]?.string == step)
    let criteria = next["criteria"]?.elements ?? []
    #expect(Runbook.codeSpans(in: wanted).filter(names.contains) == criteria.compactMap { $0["criterion"]?.string })
    for criterion in criteria {
      let row = try #require(table.first { $0[0] == "`\(criterion["criterion"]?.string ?? "")`" })
      // What is wanted of the warm-up begins with a time.
      let threshold = criterion["wanted"]?.string?.split(separator: ": ").last.map(String.init) ?? ""
      #expect(row[2].contains(threshold) && !threshold.isEmpty, "\(row) where the sidecar wants \(threshold)")
    }
    if step != "remove_old_store" {
      let block = try #require(rehearsal.runbook.block(step))
      let typed = block.text.replacing("$INSTANCE", with: "sessions").replacing("\"", with: "")
      #expect(typed.hasPrefix(next["command"]?.string ?? "nothing"))
    }
  }

  private func total(_ metric: String, _ rehearsal: Rehearsal) throws -> Double {
    try rehearsal.sidecar.metrics().sum(metric)
  }
}

internal import EventLoop
internal import MultiStore
internal import RESP

/// Commands that are shown when the execution in flight has ended.
final class WithheldLines {
  /// The lines of a transaction's commands and of its EXEC.
  var bytes = ByteBuffer()
  /// The bytes of the commands before EXEC, which are dropped if the store does not execute them.
  var transactionBytes = 0
  /// A SELECT, whose line has the new database if there is one.
  var select: [UInt8]?
}

/// A client that is shown all commands, and the commands that it is shown.
extension Session {
  /// Memory that the line's buffer keeps.
  private static let keptLineCapacity = 64 << 10

  /// The facts that decide whether a server would execute the next command.
  var admissionFacts: AdmissionFacts {
    AdmissionFacts(
      isLoggedIn: isAuthenticated,
      isInTransaction: transaction != nil,
      isSubscribed: isInSubscriberMode,
      isMonitoring: isMonitoring,
      dialect: dialect
    )
  }

  /// Executes MONITOR. A server does not answer a client that monitors already.
  func monitor() {
    guard !isMonitoring else { return }
    output.appendStatus("OK")
    server.beginMonitoring(self)
  }

  /// Whether a server refuses a command because this client monitors, and for no other reason.
  func isRefusedToMonitors(_ spec: CommandSpec, argumentCount: Int) -> Bool {
    var facts = admissionFacts
    facts.isMonitoring = false
    return spec.reachesKeys && !facts.refuses(spec, argumentCount: argumentCount)
  }

  /// Answers such a command. Nothing is in flight.
  func refuseToMonitor(_ spec: CommandSpec) {
    lastCommand = spec.id
    transaction?.isRefused = true
    output.appendError("ERR Replica can't interact with the keyspace")
    finishTurn()
  }

  /// Whether a command is shown once it is taken: those that a server would execute are, except administrative ones
  /// and those that the sidecar refuses.
  func isShownToMonitors(_ bytes: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int) -> Bool {
    guard !server.monitors.isEmpty, !spec.traits.contains(.isAdministrative) else { return false }
    return admissionFacts.executes(spec, argumentCount: argumentCount)
      && spec.refusal(of: bytes) == nil && instance.refusal(of: spec) == nil
  }

  /// Shows a command of this client to those that monitor.
  func showToMonitors(_ bytes: Span<UInt8>, _ spec: CommandSpec) {
    if spec.id == .select, state.isExecuting {
      withheldLines = WithheldLines()
      withheldLines?.select = bytes.array
      return
    }
    defer { server.monitorLine.removeAll(keepingCapacityUpTo: Self.keptLineCapacity) }
    MonitorLine(
      microseconds: server.loop.wallClockMicroseconds,
      database: database.number,
      client: stream.peer
    ).append(bytes, spec, to: &server.monitorLine)
    if let withheldLines {
      server.monitorLine.withSpan { withheldLines.bytes.append($0) }
      // Too many to keep: they are shown whatever becomes of the transaction.
      if withheldLines.bytes.count > server.limits.outputBufferLimit { releaseMonitorLines() }
      return
    }
    server.monitorLine.withSpan { server.showToMonitors($0) }
  }

  /// Shows the commands of a transaction that is about to be executed. The line of EXEC comes after them.
  func showToMonitors(_ transaction: Transaction) {
    transaction.batch.forEachCommand { bytes, spec in
      if !spec.traits.contains(.isAdministrative) { showToMonitors(bytes, spec) }
    }
  }

  /// Keeps the lines of a transaction, and of its EXEC, until the store has found whether a watched key was changed.
  func withholdMonitorLines(of transaction: Transaction) {
    // The next byte of the output is the first one of the reply to EXEC.
    writeOutput()
    withheldLines = WithheldLines()
    showToMonitors(transaction)
    withheldLines?.transactionBytes = withheldLines?.bytes.count ?? 0
  }

  /// Shows what was withheld. The execution has ended, and its reply is in the output unless it was large.
  func releaseMonitorLines() {
    guard let lines = withheldLines else { return }
    withheldLines = nil
    if let select = lines.select { return showToMonitors(select.span, CommandTable.spec(.select)) }
    let isRefused = output.withSpan { reply in
      reply.count > 1
        && (reply[0] == UInt8(ascii: "-") || reply[0] == UInt8(ascii: "_")
          || reply[0] == UInt8(ascii: "*") && reply[1] == UInt8(ascii: "-"))
    }
    let skipped = isRefused && executing.passedOnBytes == 0 ? lines.transactionBytes : 0
    lines.bytes.withSpan { server.showToMonitors($0.extracting(skipped...)) }
  }

  /// Takes lines that show commands. They are status replies in both protocols, and replies to a server: CLIENT REPLY
  /// OFF drops them. A client that does not read them is closed, like a subscriber.
  func take(monitorLines lines: Span<UInt8>) {
    guard !isGone, !isClosing, !delivery.isOff else { return }
    if owedBytes > server.limits.outputBufferLimit {
      writeOutput()
      if stream.pendingWriteBytes > server.limits.outputBufferLimit { return cutOff(.outputBufferLimit) }
    }
    let lines = copy lines
    writeUnasked { $0.append(lines) }
    finishTurn()
  }
}

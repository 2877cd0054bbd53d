internal import Hiredis
internal import RESP

/// Cursors of SCAN, SSCAN, HSCAN and ZSCAN belong to the store that gave them, whatever the flags are meanwhile. The
/// primary's are marked in replies to clients, so that the next page of an iteration is read from the store that gave
/// the last one, without state for each client.
///
/// The secondary's have no mark: while both flags are off nothing is changed, and an iteration that began before the
/// first flip continues where it was.
enum StoreCursor {
  /// Added to a cursor of the primary. Cursors stay below the size of a hash table, far from it; and a client that
  /// keeps cursors as floating-point numbers, as JavaScript's do, keeps them exactly up to twice this.
  private static let mark = 1 << 52

  /// The store that gave the cursor in `command`; nil when the iteration begins, or when it is no cursor at all.
  static func owner(of command: Span<UInt8>, _ spec: CommandSpec) -> StoreRole? {
    guard let cursor = ArgumentCursor(command).argument(at: place(spec))?.decimal, cursor != 0 else { return nil }
    return cursor & mark == 0 ? .secondary : .primary
  }

  /// Writes `command` with the cursor as the primary gave it into `scratch`.
  ///
  /// - Precondition: the primary is the ``owner(of:_:)``.
  static func unmark(_ command: Span<UInt8>, _ spec: CommandSpec, into scratch: inout ByteBuffer) {
    rewrite(command, spec, into: &scratch) { $1.append(decimal: ($0.decimal ?? 0) & ~mark) }
  }

  /// Writes a page of `role`'s store: marked if it is the primary's, unless the iteration is over.
  static func encode(_ page: borrowing Reply, of role: StoreRole, into output: inout ByteBuffer) {
    guard role == .primary, page.kind == .array, page.count == 2, let cursor = page[0].bytes.decimal, cursor > 0,
      cursor < mark
    else { return page.encode(into: &output) }
    output.appendArrayHeader(2)
    output.appendBulk(decimal: cursor | mark)
    page[1].encode(into: &output)
  }

  /// Writes `command` with an invalid cursor: a transaction sends it in place of a command whose cursor belongs to the
  /// store that does not execute it. The client gets `ERR invalid cursor`, and restarts the iteration.
  static func invalidate(_ command: Span<UInt8>, _ spec: CommandSpec, into scratch: inout ByteBuffer) {
    rewrite(command, spec, into: &scratch) { $1.append("of-the-other-store") }
  }

  /// Writes `command`, with `writeCursor` in place of its cursor.
  private static func rewrite(
    _ command: Span<UInt8>,
    _ spec: CommandSpec,
    into scratch: inout ByteBuffer,
    _ writeCursor: (Span<UInt8>, inout CommandWriter) -> Void
  ) {
    let place = place(spec)
    var arguments = ArgumentCursor(command)
    scratch.removeAll()
    scratch.appendCommand(expecting: arguments.count) { rewritten in
      while let argument = arguments.next() {
        if arguments.index - 1 == place { writeCursor(argument, &rewritten) } else { rewritten.append(argument) }
      }
    }
  }

  /// The index of the cursor among the arguments: the others name a key first.
  private static func place(_ spec: CommandSpec) -> Int { spec.commandClass == .keyspaceRead ? 1 : 2 }
}

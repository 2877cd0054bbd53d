internal import Hiredis
internal import RESP

/// Cursors of SSCAN, HSCAN and ZSCAN belong to the store that gave them. Those of the secondary are marked on their way
/// to a client, so that the next page of an iteration that fell back is asked of the secondary again, and nothing has
/// to be remembered about any client.
enum SecondaryCursor {
  /// Added to a cursor of the secondary. Cursors of one key's elements stay below its table size, far from it; and a
  /// client that keeps cursors as floating-point numbers, as JavaScript's do, keeps them exactly up to twice this. A
  /// store that gets a marked cursor (after a flip of the flags) looks at the low bits alone.
  private static let mark = 1 << 52

  /// The command with the secondary's own cursor, in `scratch`, if `command` continues an iteration there.
  ///
  /// - Returns: false for any other command, with nothing written.
  static func unmark(_ command: Span<UInt8>, into scratch: inout ByteBuffer) -> Bool {
    guard let cursor = ArgumentCursor(command).argument(at: 2)?.decimal, cursor & mark != 0 else { return false }
    var arguments = ArgumentCursor(command)
    scratch.removeAll()
    scratch.appendArrayHeader(arguments.count)
    while let argument = arguments.next() {
      if arguments.index == 3 { scratch.appendBulk(decimal: cursor & ~mark) } else { scratch.appendBulk(argument) }
    }
    return true
  }

  /// Writes a page of the secondary, its cursor marked unless the iteration is over.
  static func encode(_ page: borrowing Reply, into output: inout ByteBuffer) {
    guard page.kind == .array, page.count == 2, let cursor = page[0].bytes.decimal, cursor > 0, cursor < mark else {
      return page.encode(into: &output)
    }
    output.appendArrayHeader(2)
    output.appendBulk(decimal: cursor | mark)
    page[1].encode(into: &output)
  }
}

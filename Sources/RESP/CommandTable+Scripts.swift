// Scripts and functions.
//
// FUNCTION's subcommands that change the library are flagged `write` by the servers, SCRIPT's are not. SCRIPT DEBUG
// would make every EVAL of its connection, which many clients share, a debugging session.
extension CommandTable {
  static let scripts: [CommandSpec] = [
    .script("eval", -3, .counted(at: 2), .isReplicated, effect: .copyKeys),
    .script("eval_ro", -3, .counted(at: 2)),
    .script("evalsha", -3, .counted(at: 2), .isReplicated, effect: .copyKeys),
    .script("evalsha_ro", -3, .counted(at: 2)),
    .script("fcall", -3, .counted(at: 2), .isReplicated, effect: .copyKeys),
    .script("fcall_ro", -3, .counted(at: 2)),
    .container("function", -2, .script),
    .script("function|delete", 3, .none, .writes, effect: .verbatim),
    .script("function|dump", 2),
    .script("function|flush", -2, .none, .writes, effect: .verbatim),
    .script("function|help", 2),
    .script("function|kill", 2, .none, .answeredWhileBusy),
    .script("function|list", -2, reply: .always(.libraries)),
    .script("function|load", -3, .none, .writes, effect: .verbatim),
    .script("function|restore", -3, .none, .writes, effect: .verbatim),
    .script("function|stats", 2, .none, .answeredWhileBusy, reply: .always(.functionStatistics)),
    .container("script", -2, .script),
    .script("script|debug", -3, refused: .changesConnection),
    .script("script|exists", -3),
    .script("script|flush", -2, effect: .verbatim),
    .script("script|help", 2),
    .script("script|kill", 2, .none, .answeredWhileBusy),
    .script("script|load", 3, effect: .verbatim),
    .script("script|show", 3),
  ]
}

/// The commands of one call of `pipelined` or `multi` of ``MultiStoreClient``, in the order of their replies.
public struct CommandPipeline: Sendable {
  /// The arguments of each command, the name first.
  private(set) var commands: [[[UInt8]]] = []

  /// A pipeline without commands.
  public init() {}

  /// The number of commands so far.
  public var count: Int { commands.count }

  /// Whether there is no command.
  public var isEmpty: Bool { commands.isEmpty }

  /// Adds a typed command.
  public mutating func append<Reply>(_ command: StoreCommand<Reply>) {
    commands.append(command.arguments)
  }

  /// Adds any command by its name.
  public mutating func append(_ name: String, _ arguments: any StoreArgument...) {
    commands.append([name.argumentBytes] + arguments.map(\.argumentBytes))
  }
}

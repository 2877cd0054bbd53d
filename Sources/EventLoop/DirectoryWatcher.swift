internal import CUV

/// Calls its handler on the loop's thread when something in a directory changes: at most once per turn, however much
/// has changed.
///
/// It watches a directory and not a file: a file is usually replaced by renaming another one over it, which a watch on
/// the file does not report. Dropping the last reference closes it.
public final class DirectoryWatcher: HandleOwner, EndOfTurnWorker {
  private let loop: EventLoop
  private let handler: () -> Void
  private var memory: HandleMemory<uv_fs_event_t>?
  private var isRegistered = false

  /// Watches the directory at `path`, without its subdirectories.
  ///
  /// - Throws: If there is no such directory, or the system's limit on watches is reached.
  public init(on loop: EventLoop, path: String, handler: @escaping () -> Void) throws(EventLoopError) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.handler = handler
    let memory = HandleMemory<uv_fs_event_t>()
    uv_fs_event_init(loop.uv, memory.pointer)
    self.memory = memory
    memory.setOwner(self)
    let result = uv_fs_event_start(
      memory.pointer,
      { handle, _, _, _ in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<DirectoryWatcher>.fromOpaque(data).takeUnretainedValue().didChange()
      },
      path,
      0
    )
    guard result == 0 else {
      close()
      throw EventLoopError("watching the directory \(path)", uv: result)
    }
  }

  deinit {
    close()
  }

  /// Stops watching.
  public func close() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    self.memory = nil
    memory.close()
  }

  /// Part of `EndOfTurnWorker`; called by the loop.
  public func endOfTurn() {
    isRegistered = false
    if memory != nil { handler() }
  }

  func closeHandle() { close() }

  private func didChange() {
    guard !isRegistered else { return }
    isRegistered = true
    loop.atEndOfTurn(self)
  }
}

internal import CUV

/// The operations that a descriptor is ready for.
package struct PollEvents: OptionSet {
  package let rawValue: Int32

  package init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Whether it contains all of `events`. Other modules call the one of `SetAlgebra` without specialization.
  @inlinable @inline(__always)
  package func contains(_ events: PollEvents) -> Bool { rawValue & events.rawValue == events.rawValue }

  package static let readable = PollEvents(rawValue: 1)
  package static let writable = PollEvents(rawValue: 2)
  /// The descriptor is in an error state. It is not watched any more; reading or writing returns the error.
  package static let failed = PollEvents(rawValue: 4)
  /// The loop is closing and has closed this handle; the owner still has to close the descriptor.
  package static let loopClosed = PollEvents(rawValue: 8)
}

/// The owner of a `PollHandle`, notified of its events.
package protocol PollHandleOwner: AnyObject {
  func pollHandle(_ handle: PollHandle, isReadyFor events: PollEvents)
}

/// Watches a descriptor of its owner, level-triggered, on the loop's thread.
///
/// It has to be closed before the descriptor is. The owner is not retained and keeps the handle alive.
package final class PollHandle: HandleOwner {
  private let loop: EventLoop
  private unowned(unsafe) let owner: any PollHandleOwner
  private var memory: HandleMemory<uv_poll_t>?
  private var watched: PollEvents = []

  /// Prepares to watch `fd`, without events yet.
  package init(on loop: EventLoop, fd: Int32, owner: any PollHandleOwner) throws(EventLoopError) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.owner = owner
    let memory = HandleMemory<uv_poll_t>()
    let result = uv_poll_init(loop.uv, memory.pointer, fd)
    guard result == 0 else {
      memory.discard()
      throw EventLoopError("watching a descriptor", uv: result)
    }
    self.memory = memory
    memory.setOwner(self)
  }

  deinit {
    close()
  }

  /// Watches for exactly these events; does nothing if they are watched already.
  package func update(readable: Bool, writable: Bool) {
    guard let memory else { return }
    var events: PollEvents = []
    if readable { events.insert(.readable) }
    if writable { events.insert(.writable) }
    guard events != watched else { return }
    watched = events
    guard !events.isEmpty else {
      uv_poll_stop(memory.pointer)
      return
    }
    let flags =
      (readable ? Int32(UV_READABLE.rawValue) : 0) | (writable ? Int32(UV_WRITABLE.rawValue) : 0)
    uv_poll_start(memory.pointer, flags) { handle, status, events in
      guard let data = handle?.pointee.data else { return }
      // The owner retains the handle, and is retained itself during the call.
      Unmanaged<PollHandle>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.handle(status: status, events: events) }
    }
  }

  /// Stops watching for good. The descriptor may be closed directly afterwards.
  package func close() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    self.memory = nil
    uv_poll_stop(memory.pointer)
    memory.close()
  }

  func closeHandle() {
    close()
    owner.pollHandle(self, isReadyFor: .loopClosed)
  }

  private func handle(status: Int32, events: Int32) {
    loop.beginTurn()
    var ready: PollEvents = []
    if status < 0 {
      // libuv has stopped watching.
      watched = []
      ready.insert(.failed)
    }
    if events & Int32(UV_READABLE.rawValue) != 0 { ready.insert(.readable) }
    if events & Int32(UV_WRITABLE.rawValue) != 0 { ready.insert(.writable) }
    owner.pollHandle(self, isReadyFor: ready)
  }
}

internal import CUV
internal import Glibc

/// An object with an open libuv handle, which the loop can close when it ends.
///
/// A handle's `data` points at such an object for as long as the handle is open, or is nil for the loop's own handles.
protocol HandleOwner: AnyObject {
  /// Closes the handle; called while the loop ends.
  func closeHandle()
}

/// The memory of one libuv handle.
///
/// libuv uses a handle until its close callback has run, even if the Swift object is gone by then. So the memory comes
/// from the C allocator and is freed in that callback, and nowhere else.
struct HandleMemory<CHandle> {
  let pointer: UnsafeMutablePointer<CHandle>

  /// Allocates zeroed memory. It has to be initialised by libuv, or freed with `discard`.
  init() {
    guard let memory = calloc(1, MemoryLayout<CHandle>.size) else { fatalError("out of memory for a libuv handle") }
    pointer = memory.bindMemory(to: CHandle.self, capacity: 1)
  }

  /// The handle as libuv's base type, which all handles begin with.
  var base: UnsafeMutablePointer<uv_handle_t> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
  }

  /// The handle as libuv's stream type, which TCP and pipe handles begin with.
  var stream: UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_stream_t.self)
  }

  /// Sets the object that callbacks find. It is not retained: the owner closes the handle in its deinit at the latest.
  func setOwner(_ owner: any HandleOwner) {
    base.pointee.data = Unmanaged<AnyObject>.passUnretained(owner).toOpaque()
  }

  /// Closes the handle. Its owner is not called any more, and the memory is freed when libuv no longer uses it.
  func close() {
    base.pointee.data = nil
    uv_close(base) { free($0) }
  }

  /// Frees memory that libuv refused to initialise.
  func discard() {
    free(pointer)
  }
}

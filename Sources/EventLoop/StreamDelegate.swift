/// The delegate of a stream, notified of its events on the loop's thread.
public protocol StreamDelegate: AnyObject {
  /// Delivers bytes that have arrived. They are in a buffer that all streams of the loop share, valid during the call.
  func stream(_ stream: Stream, didRead bytes: Span<UInt8>)

  /// Called when the handshake of TLS is done, before anything is delivered. Never for a plain stream. By default it
  /// is ignored.
  func streamDidShakeHands(_ stream: Stream)

  /// Called when everything written has been handed to the operating system: `pendingWriteBytes` has become 0.
  func streamDidDrain(_ stream: Stream)

  /// Called when the peer has half-closed the connection: it sends nothing more, but may still read. Nothing is read
  /// any more. By default the stream is closed; a delegate that does otherwise has to close it later.
  func streamDidReachEnd(_ stream: Stream)

  /// Called when the stream is closed: by its peer or by `close`, both without an error, or by a failure. Exactly once
  /// per stream, at the end of the turn and never from within a call to the stream. No other call follows.
  func streamDidClose(_ stream: Stream, error: StreamError?)
}

extension StreamDelegate {
  /// Does nothing.
  public func streamDidShakeHands(_ stream: Stream) {}

  /// Closes the stream.
  public func streamDidReachEnd(_ stream: Stream) {
    stream.close()
  }
}

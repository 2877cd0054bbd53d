/// The engine's input and output as arrays, for owners to which copies do not matter.
extension TLSEngine {
  /// Takes ciphertext as it came from the peer, all of it, and returns the plaintext of its records.
  package func receive(_ ciphertext: [UInt8]) -> [UInt8] {
    var plaintext: [UInt8] = []
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.recordBytes, alignment: 1)
    defer { scratch.deallocate() }
    receive(ciphertext.span, scratch: scratch) { span in
      plaintext += span.withUnsafeBufferPointer { Array($0) }
      return true
    }
    return plaintext
  }

  /// Removes up to `limit` bytes of the ciphertext to send, and returns them.
  package func takeOutput(limit: Int = .max) -> [UInt8] {
    var taken: [UInt8] = []
    withOutput { bytes in
      taken = Array(bytes.prefix(limit))
      return taken.count
    }
    return taken
  }
}

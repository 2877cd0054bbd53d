internal import Sockets

/// Reads `tls` of an instance, which belongs to the addresses of its `listen` that speak TLS.
enum ListenerTLSReader {
  /// Returns the TLS of an instance's listeners; nil without any, or after a mistake.
  static func tls(of instance: MappingReader, listen: [ListenAddress]) -> InstanceConfiguration.TLS? {
    guard instance.has("tls") else {
      if let address = listen.first(where: \.usesTLS) {
        let message = "\(address) needs a map tls with cert_file and key_file"
        instance.context.error(instance.position(of: "listen"), instance.keyPath("listen"), message)
      }
      return nil
    }
    guard let reader = instance.section("tls") else { return nil }
    if !listen.contains(where: \.usesTLS) {
      let message = "has no effect: no address of listen begins with tls:, such as tls:0.0.0.0:6390"
      reader.context.error(reader.position, reader.path, message)
    }
    let handshakeTimeout = reader.duration("handshake_timeout")
    return ServerTLSReader(reader: reader).server().map {
      InstanceConfiguration.TLS(server: $0, handshakeTimeout: handshakeTimeout)
    }
  }
}

internal import Sockets

/// Refuses changes that a web page in an operator's browser requests.
///
/// A listener on loopback can't be reached from other machines, but from a page in the operator's browser. Requests
/// that change nothing pass: without CORS headers, which this server never sends, a page cannot read the answers. Only
/// one whose name was made to resolve to this listener could, which is refused where reads are guarded.
struct CrossSiteGuard: Sendable {
  private let address: SocketAddress
  private let isAuthenticated: Bool
  private let guardsReads: Bool

  /// - Parameters:
  ///   - address: The server's address.
  ///   - isAuthenticated: Whether a bearer token is required, which a browser never sends by itself.
  ///   - guardsReads: Whether requests that change nothing are only answered under the listener's address, too.
  init(address: SocketAddress, isAuthenticated: Bool, guardsReads: Bool = false) {
    self.address = address
    self.isAuthenticated = isAuthenticated
    self.guardsReads = guardsReads
  }

  /// Returns the sentence with which a request is refused; nil if it passes.
  func refusal(method: HTTPMethod, headers: [HTTPField]) -> String? {
    guard method != .get else { return guardsReads ? refusal(ofHost: hostName(in: headers)) : nil }
    if let site = headers.joinedValue(of: "Sec-Fetch-Site")?.lowercased(), site != "same-origin", site != "none" {
      return "A page of another site may not change anything here (Sec-Fetch-Site: not same-origin)."
    }
    let host = hostName(in: headers)
    if let origin = headers.joinedValue(of: "Origin")?.lowercased() {
      guard let host, origin == "http://\(host)" || origin == "https://\(host)" else {
        return "A page of another site may not change anything here (Origin is not this listener)."
      }
    } else if let referrer = headers.joinedValue(of: "Referer")?.lowercased(), !referrer.isEmpty {
      // Older browsers send no Origin with a form. Only the part before the path has to match.
      guard let host, Self.isPage(referrer, of: host) else {
        return "A page of another site may not change anything here (Referer is not this listener)."
      }
    }
    return refusal(ofHost: host)
  }

  private func hostName(in headers: [HTTPField]) -> String? { headers.joinedValue(of: "Host")?.lowercased() }

  private func refusal(ofHost host: String?) -> String? {
    guard let host, !isTrusted(host: host) else { return nil }
    return "This listener answers only under its address or as localhost (Host is another name)."
  }

  /// Whether the name in a Host header can be this listener's.
  ///
  /// A page's name can resolve to 127.0.0.1 (DNS rebinding); then the browser sends that name. An address cannot be
  /// rebound, and a browser cannot connect to a unix socket.
  private func isTrusted(host: String) -> Bool {
    guard !isAuthenticated, case .tcp(let boundHost, _) = address else { return true }
    let name = Self.withoutPort(host)
    return name == "localhost" || SocketAddress.isIPAddress(name)
      || (!boundHost.isEmpty && name == boundHost.lowercased())
  }

  private static func isPage(_ address: String, of host: String) -> Bool {
    ["http://\(host)", "https://\(host)"].contains { address == $0 || address.hasPrefix("\($0)/") }
  }

  private static func withoutPort(_ host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      return String(host[host.index(after: host.startIndex)..<end])
    }
    return String(host.prefix { $0 != ":" })
  }
}

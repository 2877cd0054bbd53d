internal import Sockets

/// Finds mistakes that concern several instances, or both stores of one.
struct InstanceComparison {
  let drafts: [InstanceReader.Draft]
  let context: LoadContext

  /// Reports all mistakes.
  func report() {
    reportNames()
    let listeners = reportListeners()
    for draft in drafts {
      reportSameStores(draft)
      reportEarlyReads(draft)
      reportLoops(draft, listeners: listeners)
    }
  }

  private func reportNames() {
    var lines: [String: Int] = [:]
    for draft in drafts {
      guard let name = draft.name else { continue }
      let position = draft.reader.position(of: "name")
      if let line = lines[name] {
        let message = "another instance is called \"\(name)\" in line \(line); names have to differ"
        context.error(position, draft.reader.keyPath("name"), message)
      } else {
        lines[name] = position.line
      }
    }
  }

  /// Reports addresses that occur twice, and returns the instances by their addresses.
  private func reportListeners() -> [SocketAddress: String] {
    var owners: [SocketAddress: (name: String, line: Int)] = [:]
    for draft in drafts {
      for (listener, position) in draft.listen {
        let address = listener.address
        if case .tcp(_, port: 0) = address { continue }
        if let owner = owners[address] {
          let message = "\(owner.name) listens on \(address) already, in line \(owner.line)"
          context.error(position, draft.reader.keyPath("listen"), message)
        } else {
          owners[address] = (draft.name ?? draft.reader.path, position.line)
        }
      }
    }
    return owners.mapValues(\.name)
  }

  /// Warns of two stores with the same address. It is no error: at run time `run_id` shows whether they are one server.
  private func reportSameStores(_ draft: InstanceReader.Draft) {
    guard let primary = draft.primary, let secondary = draft.secondary else { return }
    guard primary.place == secondary.place, primary.database == secondary.database else { return }
    let message = "primary and secondary are both \(primary); while they are one store the feature flags have no effect"
    context.warning(draft.reader.position(of: "primary"), draft.reader.keyPath("primary"), message)
  }

  /// Warns of early reads. They are no error with one sidecar, and the configuration does not know how many there are.
  private func reportEarlyReads(_ draft: InstanceReader.Draft) {
    guard draft.configuration?.isReadBeforeCopies == true else { return }
    let key = "write_acknowledgement"
    let message = InstanceConfiguration.readBeforeCopies
    context.warning(draft.reader.position(of: key), draft.reader.keyPath(key), message)
  }

  /// Reports a sidecar that is its own store: it would forward each command to itself for ever.
  private func reportLoops(_ draft: InstanceReader.Draft, listeners: [SocketAddress: String]) {
    for (key, store) in [("primary", draft.primary), ("secondary", draft.secondary)] {
      guard case .address(let address)? = store?.place, let listener = listeners[address] else { continue }
      let message = "\(address) is where the instance \(listener) of this sidecar listens, not a store"
      context.error(draft.reader.position(of: key), draft.reader.keyPath(key), message)
    }
  }
}

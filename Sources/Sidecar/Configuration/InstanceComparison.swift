internal import Sockets

/// Finds what is wrong with instances only when they are seen together, or with the two stores of one.
struct InstanceComparison {
  let drafts: [InstanceReader.Draft]
  let context: LoadContext

  /// Reports everything it finds.
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

  /// Reports addresses that are there twice, and returns which instance listens where.
  private func reportListeners() -> [SocketAddress: String] {
    var owners: [SocketAddress: (name: String, line: Int)] = [:]
    for draft in drafts {
      for (address, position) in draft.listen {
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

  /// The same text is not proof of a mistake: whether it is one server is found out at run time by its `run_id`.
  private func reportSameStores(_ draft: InstanceReader.Draft) {
    guard let primary = draft.primary, let secondary = draft.secondary else { return }
    guard primary.address == secondary.address, primary.database == secondary.database else { return }
    let message = "primary and secondary are both \(primary); while they are one store the feature flags have no effect"
    context.warning(draft.reader.position(of: "primary"), draft.reader.keyPath("primary"), message)
  }

  /// Not wrong for one sidecar, and nothing here says how many there are.
  private func reportEarlyReads(_ draft: InstanceReader.Draft) {
    guard draft.configuration?.isReadBeforeCopies == true else { return }
    let key = "write_acknowledgement"
    let message = InstanceConfiguration.readBeforeCopies
    context.warning(draft.reader.position(of: key), draft.reader.keyPath(key), message)
  }

  /// A sidecar that is its own store would forward each command to itself for ever.
  private func reportLoops(_ draft: InstanceReader.Draft, listeners: [SocketAddress: String]) {
    for (key, store) in [("primary", draft.primary), ("secondary", draft.secondary)] {
      guard let store, let listener = listeners[store.address] else { continue }
      let message = "\(store.address) is where the instance \(listener) of this sidecar listens, not a store"
      context.error(draft.reader.position(of: key), draft.reader.keyPath(key), message)
    }
  }
}

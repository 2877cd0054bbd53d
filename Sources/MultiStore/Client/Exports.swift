// The types of lower modules that an embedding server has to name: with them, `import MultiStore` is enough.

@_exported public import enum EventLoop.SocketAddress
@_exported public import struct Hiredis.ConnectionLimits
@_exported public import struct Hiredis.StoreEndpoint
@_exported public import enum RESP.RESPValue

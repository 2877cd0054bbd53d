#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <microhttpd.h>

/// Gives back the bytes as they came; MHD_OPTION_UNESCAPE_CALLBACK wants this shape.
typedef size_t (*multistore_mhd_unescape)(void *context, struct MHD_Connection *connection, char *text);

/// A daemon with TLS has to be given a certificate, or who to ask for one. Each connection gets its credentials from
/// the connection callback before its handshake, so that nobody asks here; whoever did would get none.
static inline int multistore_mhd_no_certificate(void) { return -1; }

/// Starts a daemon on a socket that already listens and is not blocking.
///
/// MHD_start_daemon is variadic and therefore not importable into Swift; this is its only use, with fixed arguments.
/// The daemon owns `listen_socket` from here on: MHD closes it when it is stopped, and also when the start fails for
/// want of memory, threads or descriptors (src/microhttpd/daemon.c of 0.9.75).
/// MHD_USE_ITC: a stop wakes the thread through a descriptor of its own, on unix sockets as well.
/// MHD_OPTION_STRICT_FOR_CLIENT: HTTP/1.1 without a Host header and spaces in the path are refused.
static inline struct MHD_Daemon *multistore_mhd_start(
    int listen_socket, bool uses_tls, unsigned int connection_limit, unsigned int timeout_seconds,
    size_t connection_memory_bytes, MHD_AccessHandlerCallback handler, MHD_RequestCompletedCallback completed,
    MHD_NotifyConnectionCallback connected, multistore_mhd_unescape unescape, void *context) {
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)multistore_mhd_no_certificate}, {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(
      MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | (uses_tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
      handler, context,
      MHD_OPTION_LISTEN_SOCKET, listen_socket,
      MHD_OPTION_CONNECTION_LIMIT, connection_limit,
      MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory_bytes,
      MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
      MHD_OPTION_NOTIFY_CONNECTION, connected, context,
      MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
      MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_ARRAY, uses_tls ? tls : none,
      MHD_OPTION_END);
}

/// How many connections a daemon has open; MHD_get_daemon_info is variadic as well.
static inline unsigned int multistore_mhd_open_connections(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info == NULL ? 0 : info->num_connections;
}

/// The gnutls_session_t of a connection; NULL without TLS. MHD_get_connection_info is variadic, too.
static inline void *multistore_mhd_tls_session(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return info == NULL ? NULL : info->tls_session;
}

#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <microhttpd.h>

/// Returns the bytes unchanged; the signature is that of MHD_OPTION_UNESCAPE_CALLBACK.
typedef size_t (*multistore_mhd_unescape)(void *context, struct MHD_Connection *connection, char *text);

/// Provides no certificate. A daemon with TLS has to be given a certificate or a callback that provides one. Each
/// connection gets its credentials from the connection callback before its handshake, so that this is not called.
static inline int multistore_mhd_no_certificate(void) { return -1; }

/// Starts a daemon without a thread on a socket that already listens and is not blocking.
///
/// MHD_start_daemon is variadic and therefore not importable into Swift; this is its only use, with fixed arguments.
/// The daemon owns `listen_socket` from here on: MHD closes it when it is stopped, and also when the start fails for
/// lack of memory or descriptors (src/microhttpd/daemon.c of 0.9.75).
/// MHD_OPTION_CONNECTION_TIMEOUT is left out: it restarts with each byte. DaemonThread has deadlines.
/// MHD_OPTION_SIGPIPE_HANDLED_BY_APP: DaemonThread blocks the signal.
/// MHD_OPTION_STRICT_FOR_CLIENT: HTTP/1.1 without a Host header and spaces in the path are refused.
static inline struct MHD_Daemon *multistore_mhd_start(
    int listen_socket, bool uses_tls, unsigned int connection_limit, size_t connection_memory_bytes, MHD_AccessHandlerCallback handler, MHD_RequestCompletedCallback completed,
    MHD_NotifyConnectionCallback connected, multistore_mhd_unescape unescape, void *context) {
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)multistore_mhd_no_certificate}, {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(
      MHD_USE_EPOLL | (uses_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handler, context,
      MHD_OPTION_LISTEN_SOCKET, listen_socket,
      MHD_OPTION_CONNECTION_LIMIT, connection_limit,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory_bytes,
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_NOTIFY_COMPLETED, completed, context,
      MHD_OPTION_NOTIFY_CONNECTION, connected, context,
      MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
      MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_ARRAY, uses_tls ? tls : none,
      MHD_OPTION_END);
}

/// The descriptor to wait for before MHD_run; -1 if there is none. MHD_get_daemon_info is variadic as well.
static inline int multistore_mhd_epoll(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info == NULL ? -1 : info->epoll_fd;
}

/// The descriptor of a connection; MHD_get_connection_info is variadic, too.
static inline int multistore_mhd_descriptor(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

/// The address of a connection's peer.
static inline const struct sockaddr *multistore_mhd_peer(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}

/// The gnutls_session_t of a connection; NULL without TLS.
static inline void *multistore_mhd_tls_session(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return info == NULL ? NULL : info->tls_session;
}

/// Names the calling thread, in at most 15 bytes. Here because glibc shows pthread_setname_np only with _GNU_SOURCE.
static inline void multistore_mhd_name_this_thread(const char *name) {
  extern int pthread_setname_np(pthread_t, const char *);
  pthread_setname_np(pthread_self(), name);
}

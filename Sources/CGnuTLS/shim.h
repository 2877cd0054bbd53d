#pragma once

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/// Frees what GnuTLS has allocated for its caller. Swift takes gnutls_free, a variable, for one that may change.
static inline void multistore_gnutls_free(void *memory) { gnutls_free(memory); }

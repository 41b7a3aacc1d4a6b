// CAF 0.17.6 makes a node's id from the machine's MAC addresses, the id of its root disk and the process id: two
// containers, or one that was restarted, get the same. CAF asks this exported function of its own for the process id;
// the definition here comes first, and draws a random one for each start. CAF 0.18 and later draw by themselves.
#include "runtime/base/ids.hpp"

#include <caf/config.hpp>

#if CAF_VERSION < 1800
#include <caf/detail/get_process_id.hpp>

namespace caf::detail {

unsigned get_process_id() {
  static const auto id = static_cast<unsigned>(gnomon::random_u64() >> 33) | 1u;
  return id;
}

} // namespace caf::detail
#endif

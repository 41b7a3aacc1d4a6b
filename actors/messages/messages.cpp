#include "actors/messages/messages.hpp"

namespace gnomon {

std::string_view name(copy_kind kind) {
  switch (kind) {
  case copy_kind::local:
    return "local";
  case copy_kind::remote:
    return "remote";
  case copy_kind::prefetched:
    return "prefetched";
  }
  return "local";
}

} // namespace gnomon

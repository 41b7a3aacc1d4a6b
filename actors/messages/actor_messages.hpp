#pragma once

#include "runtime/base/inspect.hpp"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

/// Messages by which actors of applications find and reach each other through the nodes.
namespace gnomon {

/// Who has published an actor under this name?
struct find_actor {
  std::string name;
  auto fields() {
    return std::tie(name);
  }
};

struct found_actor {
  std::string name;
  std::string node;               // where it lives
  uint64_t number = 0;            // another one when another actor is published under the name
  std::vector<std::string> types; // of its messages, in CAF's words; empty: it takes any
  auto fields() {
    return std::tie(name, node, number, types);
  }
};

/// A message for a published actor. `content` is a `caf::message` in CAF's binary form.
struct actor_message {
  std::string name;
  uint64_t number = 0;
  blob content;
  bool awaits_reply = false; // else it is answered as soon as it was handed over
  auto fields() {
    return std::tie(name, number, content, awaits_reply);
  }
};

struct actor_reply {
  blob content; // as in `actor_message`; empty when none was awaited
  auto fields() {
    return std::tie(content);
  }
};

} // namespace gnomon

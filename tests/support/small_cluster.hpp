#pragma once

#include "actors/node/node_context.hpp"
#include "tests/support/memory_store.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>

namespace gnomon::test {

/// The way between the nodes of a small cluster: which pairs are cut, and how often what was asked.
struct small_network {
  std::map<std::string, context_ptr> nodes;
  std::set<std::pair<std::string, std::string>> cut;    // from, to
  std::set<std::pair<std::string, std::string>> silent; // from, to: what is asked there gets no answer
  std::map<std::string, int> asked;                     // by the message's name

  void separate(const std::string& a, const std::string& b) {
    cut.insert({a, b});
    cut.insert({b, a});
  }
  void heal() {
    cut.clear();
  }
};

/// One node of a small cluster: all actors but membership, links and gateways, over a store in memory.
struct small_node {
  context_ptr context;
  std::shared_ptr<memory_store> database;
  std::vector<caf::actor> actors;

  void stop();
};

/// Starts (or after `stop` starts again) the actors of a node over the store it has.
void start(small_node& node, caf::actor_system& sys, const node_identity& who, settings config,
           std::shared_ptr<const clock> time);

/// Makes each node see all others, with round trips that grow with the distance in `order`.
void connect(std::map<std::string, small_node>& nodes, caf::actor_system& sys,
             const std::shared_ptr<small_network>& network, const std::vector<std::string>& order);

} // namespace gnomon::test

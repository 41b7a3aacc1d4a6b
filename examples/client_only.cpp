// Talks to a node that runs on this machine, through its Unix socket.
//
//   ./client_only run/eu-central-1/gnomon.sock

#include <gnomon/client.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

namespace {

// Two writers that do not know of each other leave two versions; the reader chooses, and the choice replaces both.
void resolve_a_conflict(gnomon::client& client) {
  const std::string id = "examples/conflict";
  client.put(id, "the first", {.replace = true});
  client.put(id, "the second"); // without a context: beside what is there

  auto item = client.get(id);
  std::cout << id << " has " << item->versions.size() << " versions\n";
  std::string longest;
  for (auto& version : item->versions)
    if (version.value.size() > longest.size())
      longest = version.value;
  client.put(id, longest, {.context = item->context});
  std::cout << "resolved: " << client.get(id)->value() << '\n';
}

// Many requests under way at once.
void write_many(gnomon::client& client) {
  std::vector<gnomon::later<gnomon::put_receipt>> writes;
  for (int i = 0; i < 100; ++i)
    writes.push_back(client.put_later("examples/many/" + std::to_string(i), "value", {.replace = true}));
  for (auto& write : writes)
    write.get(); // throws what went wrong
  std::cout << "wrote " << writes.size() << " items\n";
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: client_only SOCKET\n";
    return 2;
  }
  try {
    gnomon::client client{argv[1], {.timeout = std::chrono::seconds{5}, .patience = std::chrono::seconds{1}}};

    auto cluster = client.cluster();
    std::cout << cluster.self << " knows " << cluster.nodes.size() << " nodes\n";
    resolve_a_conflict(client);
    write_many(client);
    for (auto& region : client.route("examples/conflict"))
      std::cout << region.region << (region.holds ? " holds it" : " does not hold it") << ": " << region.reason << '\n';
  } catch (const gnomon::failure& e) {
    std::cerr << "client_only: " << e.what() << '\n';
    return 1;
  }
}

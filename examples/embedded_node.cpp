// Runs a whole node inside this program: its store, its actors, its HTTP gateway. Then writes, reads, and asks the node
// where the copies of an item are.
//
//   ./embedded_node [FOLDER]     keeps its data in FOLDER (default: gnomon-example in the temporary directory)

#include <gnomon/node.hpp>

#include <filesystem>
#include <iostream>
#include <string>

namespace {

// One node by itself; a real one would read a file with gnomon::node::from_file. Port 0 takes a free one.
std::string config(const std::filesystem::path& folder) {
  return R"(
    [cluster]
    insecure = true

    [node]
    name = "embedded"
    region = "eu-central-1"
    latitude = 50.1109
    longitude = 8.6821
    data_dir = ")"
         + folder.string() + R"("

    [listen]
    tunnel = "127.0.0.1:0"
    http = "127.0.0.1:0"

    [placement]
    factor = 1
    min_copies = 1

    [log]
    level = "warn"
  )";
}

void write_and_read(gnomon::client& client) {
  auto receipt = client.put("greetings/1", "hello from inside", {.content_type = "text/plain", .replace = true});
  std::cout << "wrote " << receipt.id << (receipt.created ? " for the first time\n" : " again\n");

  if (auto item = client.get("greetings/1"))
    std::cout << "read: " << item->value() << '\n';
  if (!client.get("greetings/2"))
    std::cout << "greetings/2 is not there\n";

  for (auto& copy : client.status("greetings/1").copies)
    std::cout << "a " << copy.role << " copy is at " << copy.node << " (" << copy.region << ")\n";
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto folder = argc > 1 ? std::filesystem::path{argv[1]} : std::filesystem::temp_directory_path() / "gnomon-example";
    auto node = gnomon::node::from_text(config(folder));
    node.start();
    std::cout << node.name() << " answers HTTP at http://" << node.http_address() << '\n';

    auto client = node.make_client(); // never leaves the process
    write_and_read(client);

    node.stop();
    std::cout << "stopped\n";
  } catch (const gnomon::failure& e) {
    std::cerr << "embedded_node: " << e.what() << " (" << gnomon::to_string(e.code()) << ")\n";
    return 1;
  }
}

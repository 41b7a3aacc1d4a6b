// Spawns a typed actor of its own that is told of every change of an item, and that other actors can ask what it has
// seen. The node runs inside this program; with a gnomon::client for a node elsewhere the rest is the same.
//
//   ./watching_actor [FOLDER]

#include <gnomon/node.hpp>
#include <gnomon/watch.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

// What this program's actor understands: changes, and the question how many it has seen.
using change_counter = gnomon::watcher_actor::extend<caf::replies_to<caf::get_atom>::with<uint64_t>>;

/// One write for a line: several threads print here.
void print(const std::string& line) {
  std::cout << line + '\n' << std::flush;
}

struct change_counter_state {
  uint64_t changes = 0;
};

change_counter::behavior_type count_changes(change_counter::stateful_pointer<change_counter_state> self) {
  return {
      [=](const gnomon::change& news) {
        ++self->state.changes;
        print(news.kind + ": " + news.id);
      },
      [=](caf::get_atom) { return self->state.changes; },
  };
}

uint64_t count_of(caf::actor_system& system, const change_counter& counter) {
  caf::scoped_actor self{system, true};
  uint64_t count = 0;
  self->request(counter, 2s, caf::get_atom_v).receive([&](uint64_t n) { count = n; }, [](const caf::error&) {});
  return count;
}

std::string config(const std::filesystem::path& folder) {
  return "[cluster]\ninsecure = true\n"
         "[node]\nname = \"watched\"\nregion = \"eu-central-1\"\nlatitude = 50.1\nlongitude = 8.7\n"
         "data_dir = \""
         + folder.string()
         + "\"\n"
           "[listen]\ntunnel = \"127.0.0.1:0\"\nhttp = \"\"\n"
           "[placement]\nfactor = 1\nmin_copies = 1\n"
           "[log]\nlevel = \"warn\"\n";
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto folder = argc > 1 ? std::filesystem::path{argv[1]} : std::filesystem::temp_directory_path() / "gnomon-watched";
    auto node = gnomon::node::from_text(config(folder));
    node.start();
    auto client = node.make_client();

    auto counter = client.system().spawn(count_changes);
    gnomon::watch(client, gnomon::the_item("news/1"), counter, {.present = false});
    client.put("news/1", "morning", {.replace = true});
    client.put("news/1", "evening", {.replace = true});
    client.put("news/2", "nobody watches this one", {.replace = true});
    client.del("news/1");

    // Changes arrive as messages: a little later than the answers to the writes.
    for (int i = 0; i < 100 && count_of(node.system(), counter) < 3; ++i)
      std::this_thread::sleep_for(50ms);
    print("the actor saw " + std::to_string(count_of(node.system(), counter)) + " changes");

    gnomon::unwatch(client, gnomon::the_item("news/1"), counter);
    caf::anon_send_exit(counter, caf::exit_reason::user_shutdown);
    node.stop();
  } catch (const gnomon::failure& e) {
    std::cerr << "watching_actor: " << e.what() << '\n';
    return 1;
  }
}

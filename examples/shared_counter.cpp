// Two programs, each with a node of one cluster. One has a counter actor; the other finds it through the nodes,
// wherever it lives, and asks it.
//
//   ./shared_counter serve FOLDER            prints where its node listens, and serves until its input ends
//   ./shared_counter ask FOLDER HOST:PORT    joins the node there, counts to 3 with the other program's actor

#include <gnomon/actors.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <iostream>
#include <limits>
#include <string>

// The messages of this application, under the same ids in all its programs.
struct count_up {
  uint64_t by = 1;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, count_up& x) {
  return f(x.by);
}

using counter = caf::typed_actor<caf::replies_to<count_up>::with<uint64_t>>;

CAF_BEGIN_TYPE_ID_BLOCK(shared_counter, gnomon::first_app_type_id)
CAF_ADD_TYPE_ID(shared_counter, (count_up))
CAF_END_TYPE_ID_BLOCK(shared_counter)

namespace {

using namespace std::chrono_literals;

counter::behavior_type counting(counter::pointer) {
  return {[sum = uint64_t{0}](const count_up& step) mutable { return sum += step.by; }};
}

gnomon::node started(const std::string& name, const std::string& folder, const std::string& seeds) {
  auto node = gnomon::node::from_text("[cluster]\ninsecure = true\nseeds = [" + seeds + "]\n[node]\nname = \"" + name
                                      + "\"\nregion = \"" + name + "\"\nlatitude = 50\nlongitude = 8\ndata_dir = \""
                                      + folder + "\"\n[listen]\ntunnel = \"127.0.0.1:0\"\nhttp = \"\"\n");
  node.prepare([](caf::actor_system_config& config) { config.add_message_types<caf::id_block::shared_counter>(); });
  node.start();
  return node;
}

void serve(const std::string& folder) {
  auto node = started("serving", folder, "");
  auto actor = node.system().spawn(counting);
  gnomon::publish(node, "counter", actor);
  std::cout << node.tunnel_address() << std::endl;
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

void ask(const std::string& folder, const std::string& seed) {
  auto node = started("asking", folder, '"' + seed + '"');
  auto found = gnomon::find<counter>(node, "counter").get();
  caf::scoped_actor self{node.system()};
  for (int i = 0; i < 3; ++i)
    self->request(found, 10s, count_up{})
        .receive([](uint64_t sum) { std::cout << "the counter says " << sum << std::endl; },
                 [](const caf::error& problem) { std::cout << gnomon::sentence_of(problem) << std::endl; });
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto what = argc > 1 ? std::string{argv[1]} : std::string{};
    if (what == "serve" && argc == 3)
      serve(argv[2]);
    else if (what == "ask" && argc == 4)
      ask(argv[2], argv[3]);
    else
      std::cerr << "usage: shared_counter serve FOLDER | ask FOLDER HOST:PORT\n";
    return argc > 2 ? 0 : 2;
  } catch (const gnomon::failure& e) {
    std::cerr << "shared_counter: " << e.what() << '\n';
    return 1;
  }
}

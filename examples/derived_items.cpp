// Keeps an item beside each item below words/: what is written at any node to words/X has its length in lengths/X a
// moment later. The actor watches, and sends its writes as messages. It looks at the next change when the write has
// been answered (`await`), without holding a thread.
//
//   ./derived_items [FOLDER]

#include <gnomon/actors.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

const std::string words = "words/", lengths = "lengths/";

// After a gap it is told of the items as they are, so what it missed is derived as well. To derive twice changes
// nothing.
gnomon::watcher_actor::behavior_type derive(gnomon::watcher_actor::pointer self, gnomon::router_handle router) {
  return {[=](const gnomon::change& news) {
    if (news.kind == "gap")
      return;
    auto id = lengths + news.id.substr(words.size());
    auto complain = [](const caf::error& problem) { std::cerr << gnomon::sentence_of(problem) + '\n'; };
    if (news.has_value)
      self->request(router, 10s, gnomon::api::put{id, std::to_string(news.value.size()), {.replace = true}})
          .await([](const gnomon::put_receipt&) {}, complain);
    else if (news.kind == "deleted")
      self->request(router, 10s, gnomon::api::del{id}).await([](const gnomon::put_receipt&) {}, complain);
    // Else the value was replaced meanwhile, and the change that did it follows.
  }};
}

std::string config(const std::filesystem::path& folder) {
  return "[cluster]\ninsecure = true\n[node]\nname = \"deriving\"\nregion = \"eu-central-1\"\nlatitude = 50.1\n"
         "longitude = 8.7\ndata_dir = \""
         + folder.string() + "\"\n[listen]\ntunnel = \"127.0.0.1:0\"\nhttp = \"\"\n";
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto folder =
        argc > 1 ? std::filesystem::path{argv[1]} : std::filesystem::temp_directory_path() / "gnomon-deriving";
    auto node = gnomon::node::from_text(config(folder));
    node.start();
    auto client = node.make_client();
    auto deriving = client.system().spawn(derive, gnomon::router_of(client));
    gnomon::watch(client, gnomon::items_below(words), deriving, {.values = true});

    client.put("words/1", "gnomon", {.replace = true});
    client.put("words/2", "shadow", {.replace = true});
    client.put("words/2", "shadows", {.replace = true});
    auto length_of = [&](const std::string& id) {
      auto found = client.get(lengths + id);
      return found ? found->value() : std::string{"none"};
    };
    for (int i = 0; i < 200 && (length_of("1") != "6" || length_of("2") != "7"); ++i)
      std::this_thread::sleep_for(50ms);
    std::cout << "lengths: " << length_of("1") << ' ' << length_of("2") << std::endl;
    caf::anon_send_exit(deriving, caf::exit_reason::user_shutdown);
  } catch (const gnomon::failure& e) {
    std::cerr << "derived_items: " << e.what() << '\n';
    return 1;
  }
}

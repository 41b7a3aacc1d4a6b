#include "runtime/node/start_check.hpp"

#include "runtime/base/process.hpp"
#include "runtime/net/endpoint.hpp"
#include "runtime/node/data_directory.hpp"
#include "runtime/node/geo_dns.hpp"
#include "runtime/node/node_location.hpp"
#include "runtime/node/node_security.hpp"

#include <boost/asio/io_context.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace gnomon {

namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

constexpr uint64_t own_files = 96;   // of a node beside its stores and connections: sockets, event queues, the log
constexpr uint64_t store_files = 64; // that each store has open for a working set

caf::error impossible(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

/// Folders that are made to try, and go again.
class trial_folder {
public:
  explicit trial_folder(const fs::path& folder) {
    std::error_code ignored;
    for (auto place = fs::absolute(folder, ignored); !place.empty() && !fs::exists(place, ignored);
         place = place.parent_path())
      made_.push_back(place);
    problem = make_folder(folder);
  }
  ~trial_folder() {
    for (const auto& place : made_)
      ::rmdir(place.c_str());
  }
  trial_folder(const trial_folder&) = delete;
  trial_folder& operator=(const trial_folder&) = delete;
  std::error_code problem;

private:
  std::vector<fs::path> made_; // the innermost first
};

/// Why no file can be made in a folder, or nothing. A disk that is full can be read from.
std::string why_not_writable(const fs::path& folder) {
  auto pattern = (folder / ".gnomon-check-XXXXXX").string();
  const auto fd = ::mkstemp(pattern.data());
  if (fd < 0)
    return errno == ENOSPC || errno == EDQUOT ? std::string{} : std::strerror(errno);
  ::close(fd);
  ::unlink(pattern.c_str());
  return {};
}

/// Why a file that exists cannot be read and written, or nothing.
std::string why_not_usable(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    return std::strerror(EISDIR);
  return ::access(file.c_str(), R_OK | W_OK) == 0 ? std::string{} : std::strerror(errno);
}

/// Something is there, be it a link that leads nowhere.
bool is_taken(const fs::path& place) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(place, ignored));
}

/// A file that LevelDB writes; a file system may have folders of its own beside them.
bool is_of_store(const fs::path& file) {
  const auto name = file.filename().string();
  const auto kind = file.extension().string();
  return name == "CURRENT" || name == "LOCK" || name.starts_with("MANIFEST-") || kind == ".ldb" || kind == ".log";
}

/// Ids are spread over the stores by their number, so it cannot change under data that exists.
caf::error check_store_count(const node_config& config) {
  size_t found = 0;
  while (is_taken(store_path(config, found)))
    ++found;
  if (found == 0 || found == config.actors.stores)
    return {};
  return impossible(fmt::format("store.stores = {} but {} holds {}; set it to {}", config.actors.stores,
                                config.data_dir, found, found));
}

caf::error check_store(const std::string& path) {
  std::error_code failed;
  if (!is_taken(path))
    return {};
  auto why = fs::is_directory(path, failed) ? why_not_writable(path) : "it is no directory";
  for (fs::directory_iterator i{path, failed}, end; why.empty() && !failed && i != end; i.increment(failed))
    if (is_of_store(i->path()))
      why = why_not_usable(i->path());
  if (why.empty() && failed)
    why = failed.message();
  if (why.empty())
    return {};
  return make_error(ec::store_failed,
                    fmt::format("the store {} cannot be read and written ({}); make it, and all files in it, "
                                "readable and writable for this user",
                                path, why));
}

caf::error check_data_dir(const node_config& config) {
  trial_folder folder{config.data_dir};
  if (folder.problem)
    return make_error(
        ec::store_failed,
        fmt::format("node.data_dir = \"{}\" cannot be created: {}; create it, or choose one that this user may write",
                    config.data_dir, folder.problem.message()));
  auto why = why_not_writable(config.data_dir);
  if (const auto identity = config.data_dir + "/identity"; why.empty() && is_taken(identity))
    why = why_not_usable(identity);
  if (!why.empty())
    return make_error(
        ec::store_failed,
        fmt::format("node.data_dir = \"{}\" cannot be written: {}; make it and what is in it writable for this user",
                    config.data_dir, why));
  if (auto err = check_store_count(config))
    return err;
  for (size_t i = 0; i < config.actors.stores; ++i)
    if (auto err = check_store(store_path(config, i)))
      return err;
  return {};
}

caf::error check_socket(const node_config& config) {
  const fs::path path = config.socket_path();
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    return impossible(
        fmt::format("{} exists and is no socket; remove it, or choose another listen.socket", path.string()));
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  if (config.socket.empty() || folder == fs::path{config.data_dir})
    return {}; // made, and looked at, with the data directory
  if (auto why = why_not_writable(folder); !why.empty())
    return impossible(
        fmt::format("listen.socket = \"{}\" cannot be made: {}; its folder must exist and be writable for this user",
                    config.socket, why));
  return {};
}

caf::error check_log(const node_config& config) {
  if (config.log_file.empty())
    return {};
  const fs::path file = config.log_file;
  trial_folder folder{file.has_parent_path() ? file.parent_path() : fs::path{"."}};
  const auto is_new = ::access(file.c_str(), F_OK) != 0;
  const auto fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
  if (fd < 0)
    return impossible(
        fmt::format("log.file = \"{}\" cannot be opened for writing: {}", config.log_file, std::strerror(errno)));
  ::close(fd);
  if (is_new)
    ::unlink(file.c_str());
  return {};
}

/// Whether this machine has the address, and this user may have the port.
caf::error check_listener(std::string_view key, const host_port& listener) {
  if (listener.empty())
    return {};
  const auto where = parse_address(to_string(listener));
  if (!where)
    return impossible(fmt::format("{}: {}", key, sentence_of(where.error())));
  boost::asio::io_context io;
  tcp::acceptor trial{io};
  boost::system::error_code fault;
  trial.open(where->protocol(), fault);
  if (!fault)
    trial.set_option(tcp::acceptor::reuse_address(true), fault);
  if (!fault)
    trial.bind(*where, fault);
  if (!fault || fault == boost::asio::error::address_in_use)
    return {};
  return impossible(fmt::format(
      "{} = \"{}\" cannot be listened on: {}; choose an address of this machine, and a port that this user may have",
      key, to_string(listener), fault.message()));
}

uint64_t files_without_connections(const node_config& config) {
  return own_files + store_files * config.actors.stores;
}

caf::error check_limits(const node_config& config) {
  const auto needed = files_without_connections(config), may = raise_descriptor_limit();
  if (may >= needed)
    return {};
  return impossible(fmt::format(
      "this process may have {} files open, and a node needs {}; raise the limit (ulimit -n, or LimitNOFILE= of a "
      "service)",
      may, needed));
}

} // namespace

std::string store_path(const node_config& config, size_t index) {
  return fmt::format("{}/store-{}", config.data_dir, index);
}

uint32_t possible_connections(const node_config& config) {
  const auto may = raise_descriptor_limit(), taken = files_without_connections(config);
  const auto left = may > taken ? may - taken : 1;
  return static_cast<uint32_t>(std::min<uint64_t>(config.http_connections, left));
}

caf::error check_start(const node_config& config) {
  if (auto err = check_config(config))
    return err;
  if (auto err = check_limits(config))
    return err;
  if (auto err = check_log(config))
    return err;
  if (auto err = check_data_dir(config))
    return err;
  if (auto err = check_socket(config))
    return err;
  if (auto security = security_of(config); !security)
    return security.error();
  if (auto security = http_security_of(config); !security)
    return security.error();
  if (auto err = check_listener("listen.tunnel", config.tunnel))
    return err;
  if (auto err = check_listener("listen.http", config.http))
    return err;
  if (auto err = check_listener("listen.dns", config.dns))
    return err;
  if (auto zones = zones_of(config); !zones)
    return zones.error();
  return {};
}

caf::error check_databases(const node_config& config) {
  auto places = locator::make(location_of(config));
  return places ? caf::error{} : places.error();
}

} // namespace gnomon

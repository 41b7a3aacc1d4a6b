#include "runtime/shell/snapshot_file.hpp"

#include <spdlog/fmt/fmt.h>

#include <stdexcept>

namespace gnomon::shell {

namespace {

constexpr size_t max_entry_bytes = 1u << 31;

std::string length_of(const std::string& entry) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(entry.size() >> shift));
  return bytes;
}

size_t length_from(const std::string& bytes) {
  size_t length = 0;
  for (auto c : bytes)
    length = length << 8 | static_cast<unsigned char>(c);
  return length;
}

} // namespace

snapshot_writer::snapshot_writer(const std::string& file, const snapshot_heading& heading) : file_(file) {
  add(to_entry(heading));
}

void snapshot_writer::add_item(const std::string& entry) {
  if (entry.size() > max_entry_bytes)
    throw std::runtime_error{"an item of more than 2 GiB with all its versions does not fit into a snapshot"};
  add(entry);
  ++so_far_.items;
}

void snapshot_writer::add_policies(const std::string& entry) {
  add(entry);
  ++so_far_.policies;
}

void snapshot_writer::add(const std::string& entry) {
  file_.write_bytes(length_of(entry));
  file_.write_bytes(entry);
}

void snapshot_writer::finish() {
  add(to_entry(so_far_));
  file_.finish();
}

snapshot_reader::snapshot_reader(const std::string& file)
    : name_(file == "-" ? "standard input" : file), file_(file, max_entry_bytes) {
  read();
  if (!std::holds_alternative<snapshot_heading>(part_))
    fail("it does not begin as a snapshot does");
  heading_ = std::get<snapshot_heading>(part_);
}

void snapshot_reader::fail(const std::string& what) const {
  throw std::runtime_error{fmt::format("{}: entry {}: {}", name_, number_, what)};
}

void snapshot_reader::read() {
  ++number_;
  file_.next_bytes(entry_, 4);
  if (entry_.size() < 4)
    fail("the file ends before the end of the snapshot: it was cut short");
  auto length = length_from(entry_);
  if (length > max_entry_bytes)
    fail(number_ == 1 ? "it does not begin as a snapshot does" : "its length is impossible: the file is damaged");
  file_.next_bytes(entry_, length);
  if (entry_.size() < length)
    fail(number_ == 1 ? "it does not begin as a snapshot does, or was cut short"
                      : "the file ends in the middle of it: it was cut short or damaged");
  try {
    part_ = read_entry(entry_);
  } catch (const failure& e) {
    fail(e.what());
  }
}

bool snapshot_reader::next() {
  read();
  if (std::holds_alternative<snapshot_item>(part_)) {
    ++so_far_.items;
    return true;
  }
  if (std::holds_alternative<snapshot_policies>(part_)) {
    ++so_far_.policies;
    return true;
  }
  auto end = std::get_if<snapshot_end>(&part_);
  if (!end)
    fail("a second snapshot begins in the middle of the file");
  if (end->items != so_far_.items || end->policies != so_far_.policies)
    fail(fmt::format("the file holds {} items where it says {}: it is damaged", so_far_.items, end->items));
  std::string rest;
  file_.next_bytes(rest, 1);
  if (!rest.empty())
    fail("more follows behind the end of the snapshot");
  return false;
}

} // namespace gnomon::shell

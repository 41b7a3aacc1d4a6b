#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

/// What every program of ours does for itself, however it was started.
namespace gnomon {

/// To be called before anything else in `main`. Opens what is closed of standard input, output and error on /dev/null,
/// so that no file gets their numbers; what is read from or written to the first two then fails, as it would have. A
/// write to a pipe that nobody reads, or beyond a limit on the size of files, becomes an error of that write instead of
/// a signal.
void begin_process();

/// One line on standard error, whatever becomes of it: "PROGRAM: SENTENCE", safe for a terminal.
void complain(std::string_view program, std::string_view sentence);

/// Writes `text` to standard output, as it is.
void print_text(std::string_view text);

/// `status`, or 1 and a line on standard error when standard output could not take all that was written.
int finish_output(std::string_view program, int status);

/// Files that this process may have open at once: raises the soft limit to the hard one.
uint64_t raise_descriptor_limit();

/// The folder of the program that runs; empty when the system does not tell.
std::filesystem::path own_folder();

/// Where a file or folder of configs/ lies: here, where this program was built, or where it was installed. Empty when
/// nowhere.
std::filesystem::path find_config(const std::string& name);

} // namespace gnomon

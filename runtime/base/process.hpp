#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

/// What each of our programs does for itself, however it was started.
namespace gnomon {

/// Ends the process with a sentence and status 1 when limits on memory or stacks are too low: libraries start threads
/// of their own, wait for ever for memory that they do not get, and crash on small stacks. Asks nothing of libraries
/// that have not begun yet. `started_as`: the program, as in `argv[0]`.
void check_limits(const char* started_as);

/// Call it first in `main`. Opens standard input, output and error on /dev/null where they are closed, so that no other
/// file gets their numbers. Reading from or writing to them then fails, as it would have. Writing to a pipe without a
/// reader, or beyond a limit on the size of files, becomes an error of that write instead of a signal.
/// Checks the limits. Memory or a thread that the system refuses where nothing can catch it ends the process as they
/// do.
void begin_process();

/// Writes one line to standard error: "PROGRAM: SENTENCE", safe for a terminal. Failures to write it are ignored.
void complain(std::string_view program, std::string_view sentence);

/// Writes `text` to standard output, as it is.
void print_text(std::string_view text);

/// True for the words by which every program is asked for its help or its version.
bool asks_for_help(std::string_view word);    // --help, -h
bool asks_for_version(std::string_view word); // --version, -V
/// Writes "PROGRAM VERSION" to standard output; answers the exit status.
int print_version(std::string_view program, std::string_view version);

/// Returns `status`; or 1, with a line on standard error, when standard output could not take everything that was
/// written.
int finish_output(std::string_view program, int status);

/// Memory of this process in bytes that is in RAM; 0 when the system does not say.
uint64_t resident_bytes();

/// Files that this process may have open at once: raises the soft limit to the hard one.
uint64_t raise_descriptor_limit();

/// The folder of the running program; empty when the system does not say.
std::filesystem::path own_folder();

/// Where a file or folder of configs/ is: in the current folder, where this program was built, or where it was
/// installed. Empty when in none of them.
std::filesystem::path find_config(const std::string& name);

} // namespace gnomon

#include "work/live.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/names.h"
#include "base/text.h"

namespace bitlaw {
namespace {

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string cut(std::string line, size_t width) {
  if (line.size() > width) line = line.substr(0, width - 3) + "...";
  return line;
}

// Whole, unlike printable(): the terminal's width decides what is cut.
std::string without_control(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  }
  return text;
}

std::string running_line(const LiveJob& job) {
  std::string line = fmt::format("  {:<9}", format_duration(job.seconds));
  if (job.pace) {
    line += fmt::format(" {:3.0f}%  loss {:.3f}  {:>8} tokens/s", 100 * job.pace->share,
                        job.pace->loss_nats, format_count(job.pace->tokens_per_second));
  }
  return line + "  " + printable(job.name);
}

std::string counts(const LiveState& state) {
  std::string note = fmt::format("{} of {} jobs", state.done, state.jobs);
  if (state.running_elsewhere > 0) note += fmt::format(", {} elsewhere", state.running_elsewhere);
  if (state.failed > 0) note += fmt::format(", {} failed", state.failed);
  return note;
}

}  // namespace

std::vector<std::string> live_lines(const LiveState& state, size_t width) {
  constexpr size_t kMostRunning = 16;
  std::vector<std::string> lines;
  for (const LiveJob& job : state.running) {
    if (lines.size() == kMostRunning) {
      lines.push_back(fmt::format("  and {} more", state.running.size() - kMostRunning));
      break;
    }
    lines.push_back(cut(running_line(job), width));
  }
  for (const std::string& line : state.last) lines.push_back(cut(without_control(line), width));
  if (!state.law.empty()) lines.push_back(cut(without_control(state.law), width));
  return lines;
}

Json live_values(const LiveState& state, const std::string& law) {
  constexpr size_t kMostRunning = 8;
  Json running = Json::array();
  for (const LiveJob& job : state.running) {
    if (running.size() == kMostRunning) break;
    Json& one = running.emplace_back(Json{{"job", printable(job.name)}, {"seconds", job.seconds}});
    if (!job.pace) continue;
    one["share"] = job.pace->share;
    one["loss_nats"] = job.pace->loss_nats;
    one["tokens_per_second"] = job.pace->tokens_per_second;
  }
  return {{"jobs", state.jobs},          {"jobs_done", state.done},
          {"jobs_failed", state.failed}, {"jobs_elsewhere", state.running_elsewhere},
          {"running", running},          {"law", law}};
}

LiveTable::LiveTable(const std::string& label, double total_cost, bool quiet)
    : progress_(label, total_cost, quiet),
      terminal_(!quiet && !progress_is_json() && ::isatty(STDERR_FILENO) != 0),
      quiet_(quiet) {}

LiveTable::~LiveTable() {
  clear();
}

// What is below the bar; the cursor is on the bar.
void LiveTable::clear() {
  if (drawn_ > 0) std::fputs("\033[s\n\033[J\033[u", stderr);
  drawn_ = 0;
}

void LiveTable::show(const LiveState& state) {
  progress_.update(state.cost_done, counts(state), [&] { return live_values(state, law_); });
  done_ = state.done;
  if (!terminal_) return;
  std::string text;
  LiveState shown = state;
  shown.law = law_;
  const std::vector<std::string> lines = live_lines(shown, terminal_width() - 1);
  for (const std::string& line : lines) text += "\n\033[K" + line;
  if (lines.size() < drawn_) text += "\n\033[J\033[1A";
  if (!lines.empty()) text += fmt::format("\033[{}A\r", lines.size());
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = lines.size();
}

void LiveTable::show_law(const std::string& line, bool last) {
  law_ = line;
  if (quiet_ || progress_is_json() || line.empty() || line == logged_law_) return;
  const bool due = last || (!terminal_ && 4 * done_ >= 5 * logged_done_);
  if (!due) return;
  clear();
  if (terminal_) std::fputs("\r\033[K", stderr);
  std::fputs((without_control(line) + "\n").c_str(), stderr);
  std::fflush(stderr);
  logged_law_ = line;
  logged_done_ = done_ + 1;
}

void LiveTable::finish(const std::string& note, const LiveState& state) {
  clear();
  progress_.finish(note, [&] { return live_values(state, law_); });
}

}  // namespace bitlaw

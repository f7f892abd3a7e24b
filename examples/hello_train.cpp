// Trains a small model (100 thousand parameters) on text that it makes itself:
//
//   hello_train DIRECTORY [bits of the weights]
//
// The data set is DIRECTORY/data, the run a directory of DIRECTORY/runs. Called again, it finds the
// finished run, or resumes one that was interrupted.
#include <bitlaw/train.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

// 400 stories of 100 sentences each; in a sentence only the two animals are random.
static void write_stories(const std::filesystem::path& file) {
  const char* const animals[] = {"cat", "dog", "fox", "owl"};
  std::mt19937 random(1);
  std::ofstream out(file);
  for (int story = 0; story < 400; ++story) {
    out << "{\"text\": \"";
    for (int sentence = 0; sentence < 100; ++sentence) {
      const char* first = animals[random() % 4];
      const char* second = animals[random() % 4];
      out << "the " << first << " sees the " << second << ". ";
    }
    out << "\"}\n";
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: hello_train DIRECTORY [bits]\n"), 2;
  try {
    const std::filesystem::path directory = argv[1];
    std::filesystem::create_directories(directory);
    write_stories(directory / "stories.jsonl");
    bitlaw::prepare_dataset(
        {.from = {directory / "stories.jsonl"}, .to = directory / "data", .tokenizer = "byte"});

    bitlaw::TrainConfig config;
    config.data.path = directory / "data";
    config.train.tokens = 300'000;
    if (argc > 2) config.recipe.weights = argv[2];
    const bitlaw::RunOutcome run =
        bitlaw::train(config, {.directory = directory / "runs", .quiet = true});

    std::printf("%s\n", bitlaw::describe(run).c_str());
    if (run.result && run.result->validation) {
      const bitlaw::Validation& validation = *run.result->validation;
      std::printf("loss      %.4f +- %.4f nats per token\n", validation.loss_nats,
                  validation.standard_error);
    }
    std::printf("directory %s\n", run.directory.c_str());
  } catch (const bitlaw::Error& error) {
    return std::fprintf(stderr, "hello_train: %s\n", error.what()), 1;
  }
}

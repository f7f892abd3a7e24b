#include "serve/live_view.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"
#include "record/beside_runs.h"
#include "runs/index.h"
#include "serve/runs_for_tests.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/jobs_file.h"

namespace bitlaw {
namespace {

Json data_of(const std::string& event) {
  const size_t place = event.find("data: ");
  return place == std::string::npos ? Json() : parse_json(event.substr(place + 6), "event");
}

std::map<std::string, std::string> statuses_in(LiveView& view) {
  std::map<std::string, std::string> out;
  const Json document = parse_json(*view.runs({}), "runs");
  for (const Json& row : document["rows"])
    out[row["run"].get<std::string>()] = row["status"].get<std::string>();
  return out;
}

Json study_in(LiveView& view) {
  const Json document = parse_json(*view.studies(), "studies");
  EXPECT_EQ(document["studies"].size(), 1u);
  return document["studies"][0];
}

TEST(LiveView, SaysWhatHasChangedAndNothingElse) {
  MadeUpRuns made;
  made.add(1000, 25'600);
  LiveView view({made.runs()});
  EXPECT_EQ(data_of(view.look())["rows"].size(), 1u);
  EXPECT_EQ(view.look(), "");
  const std::string run = made.begin(2000, 25'600);
  const Json began = data_of(view.look());
  ASSERT_EQ(began["rows"].size(), 1u);
  EXPECT_EQ(began["rows"][0]["run"], run);
  made.log(run, 10, 3.5);
  const Json going = data_of(view.look());
  ASSERT_EQ(going["rows"].size(), 1u);
  EXPECT_EQ(going["rows"][0]["status"], "running");
  EXPECT_EQ(going["rows"][0]["train_loss"].get<double>(), 3.5);
  EXPECT_EQ(going["rows"][0]["share"].get<double>(), 0.1);
  made.finish(run, 3.25, 25'600);
  const Json ended = data_of(view.look());
  ASSERT_EQ(ended["rows"].size(), 1u);
  EXPECT_EQ(ended["rows"][0]["status"], "finished");
  EXPECT_EQ(ended["rows"][0]["loss"].get<double>(), 3.25);
  EXPECT_EQ(ended["studies"][0]["cells"], (Json{{"finished", 2}}));
  std::filesystem::remove_all(made.runs() / run);
  const Json gone = data_of(view.look());
  EXPECT_EQ(gone["rows"].size(), 0u);
  EXPECT_EQ(gone["gone"], Json::array({ended["rows"][0]["id"]}));
  EXPECT_EQ(view.look(), "");
}

TEST(LiveView, AFolderThatIsDeletedKeepsWhatWasSeenAndSaysSo) {
  MadeUpRuns made;
  const std::string run = made.add(1000, 25'600);
  LiveView view({made.runs()});
  view.look();
  std::filesystem::remove_all(made.runs());
  const Json gone = data_of(view.look());
  EXPECT_EQ(gone["gone"].size() + gone["rows"].size(), 0u);
  ASSERT_EQ(gone["studies"].size(), 1u);
  EXPECT_EQ(gone["studies"][0]["cells"], (Json{{"finished", 1}}));
  ASSERT_EQ(gone["studies"][0]["problems"].size(), 1u);
  EXPECT_NE(gone["studies"][0]["problems"][0].get<std::string>().find("does not exist"),
            std::string::npos);
  EXPECT_EQ(statuses_in(view), (std::map<std::string, std::string>{{run, "finished"}}));
}

TEST(LiveView, CellsAreCountedByWhatHasBecomeOfThem) {
  MadeUpRuns made;
  const std::string done = made.add(1000, 25'600), failed = made.begin(2000, 25'600),
                    running = made.begin(3000, 25'600), stopped = made.begin(4000, 25'600),
                    damaged = made.add(5000, 25'600);
  made.folder().write("study/" + damaged + "/result.json", "{");
  StudyJobs study{.study = "made up", .directory = "/"};
  for (const std::string& run : {done, failed, running, stopped, damaged, std::string("later")})
    study.jobs.push_back({.name = "cell " + run, .run = run, .tokens = 25'600});
  write_study_jobs(made.runs(), study);
  write_failure(study.jobs[1], made.runs(),
                {.job = study.jobs[1].name, .exit_code = 1, .message = "<b>no</b> memory"});
  Claims claims(made.runs() / kClaimsFolder, 60);
  const auto claim = claims.take(running);
  ASSERT_TRUE(claim);
  LiveView view({made.runs()});
  view.look();
  EXPECT_EQ(statuses_in(view), (std::map<std::string, std::string>{{done, "finished"},
                                                                   {failed, "failed"},
                                                                   {running, "running"},
                                                                   {stopped, "interrupted"},
                                                                   {damaged, "damaged"}}));
  const Json seen = study_in(view);
  EXPECT_EQ(seen["name"], "made up");
  EXPECT_EQ(seen["cells"], (Json{{"finished", 1},
                                 {"failed", 1},
                                 {"running", 1},
                                 {"interrupted", 1},
                                 {"damaged", 1},
                                 {"waiting", 1}}));
  EXPECT_EQ(seen["jobs"], (Json{{"done", 1}, {"failed", 2}, {"total", 6}}));
  ASSERT_EQ(seen["workers"].size(), 1u);
  EXPECT_EQ(seen["workers"][0]["jobs"], Json::array({"cell " + running}));
  ASSERT_EQ(seen["failures"].size(), 1u);
  EXPECT_EQ(seen["failures"][0]["message"], "<b>no</b> memory");
  EXPECT_EQ(seen["problems"].size(), 1u);
  EXPECT_TRUE(seen["seconds_left"].is_null());  // not known yet
}

// By the clock that it is given: what 30 s made, the rest takes as well; whole minutes.
TEST(LiveStudy, TheTimeThatIsLeftIsKnownAfterAWhileWhereSomebodyWorks) {
  MadeUpRuns made;
  StudyJobs study{.study = "made up", .directory = "/"};
  for (int i = 0; i < 4; ++i) {
    const std::string run = made.begin(1000 + i, 25'600);
    study.jobs.push_back({.name = run, .run = run, .tokens = 25'600, .cost = 2});
  }
  write_study_jobs(made.runs(), study);
  LiveStudy live(made.runs(), "study", "key");
  const auto left = [&](double now) {
    live.look(now);
    return parse_json(live.summary(), "summary")["seconds_left"];
  };
  std::optional<Claim> claim = Claims(made.runs() / kClaimsFolder, 60).take(study.jobs[1].run);
  ASSERT_TRUE(claim);
  EXPECT_TRUE(left(100).is_null());
  made.finish(study.jobs[0].run, 3.5, 25'600);
  EXPECT_TRUE(left(110).is_null());  // too soon
  EXPECT_EQ(left(130), 120);         // three jobs of 30 s each
  made.finish(study.jobs[1].run, 3.5, 25'600);
  EXPECT_EQ(left(160), 60);
  claim->release();
  EXPECT_TRUE(left(190).is_null());  // nobody works
}

TEST(LiveView, ConditionsChooseRuns) {
  MadeUpRuns made;
  made.add(1000, 25'600, "4");
  made.add(1000, 25'600, "16");
  made.add(2000, 25'600, "16");
  LiveView view({made.runs()});
  view.look();
  const auto count = [&](const std::vector<std::string>& conditions) {
    return parse_json(*view.runs(conditions), "runs")["rows"].size();
  };
  EXPECT_EQ(count({}), 3u);
  EXPECT_EQ(count({"P_w=16"}), 2u);
  EXPECT_EQ(count({"P_w=16", "N<1500"}), 1u);
  EXPECT_NE(error_of([&] { count({"nothing=1"}); }).find("nothing"), std::string::npos);
}

// Ids are looked up; nothing that is asked for becomes a path.
TEST(LiveView, CurvesAreThoseOfRunsThatWereSeen) {
  MadeUpRuns made;
  const std::string run = made.add(1000, 25'600);
  LiveView view({made.runs()});
  view.look();
  const std::string id = parse_json(*view.runs({}), "runs")["rows"][0]["id"].get<std::string>();
  const Json curve = parse_json(*view.curve(id), "curve");
  EXPECT_EQ(curve["training"]["step"].size(), 20u);
  made.log(run, 21, 2.5);
  EXPECT_EQ(parse_json(*view.curve(id), "curve")["training"]["loss"][20].get<double>(), 2.5);
  for (const std::string& other : {run, std::string("../") + run, std::string(".."),
                                   std::string("0000000000000000"), std::string()})
    EXPECT_EQ(view.curve(other), nullptr) << other;
}

TEST(LiveView, AFolderOfStudiesShowsThemAsTheyCome) {
  const TestFolder folder;
  EXPECT_NE(error_of([&] { LiveView({folder / "none"}); }).find("is not a directory"),
            std::string::npos);
  LiveView view({folder.path()});
  EXPECT_EQ(view.look(), "");
  for (const char* name : {"a", "b"}) {
    const RunRecord record = trained_run_record(25'600, "16");
    write_run_record(folder / name / record.name, record);
    EXPECT_NE(view.look(), "");
  }
  const Json document = parse_json(*view.studies(), "studies");
  ASSERT_EQ(document["studies"].size(), 2u);
  EXPECT_EQ(document["studies"][0]["name"], "a");
  EXPECT_NE(document["studies"][0]["key"], document["studies"][1]["key"]);
  // Runs of one name in two studies are two runs.
  const Json rows = parse_json(*view.runs({}), "runs")["rows"];
  EXPECT_NE(rows[0]["id"], rows[1]["id"]);
}

TEST(LiveView, WritesNothing) {
  MadeUpRuns made;
  made.add_grid(2, 2);
  const size_t rows = RunIndex(made.runs()).select({}).size();  // leaves an index, which is read
  LiveView known({made.runs()});
  known.look();
  EXPECT_EQ(known.results()[0].rows->size(), rows);
  made.add(999, 25'600);
  const std::string before = made.state();
  LiveView view({made.runs()});
  for (int look = 0; look < 3; ++look) view.look();
  EXPECT_EQ(statuses_in(view).size(), rows + 1);
  EXPECT_EQ(view.results()[0].rows->size(), rows + 1);
  view.runs({"P_w=4"});
  EXPECT_EQ(made.state(), before);
}

}  // namespace
}  // namespace bitlaw

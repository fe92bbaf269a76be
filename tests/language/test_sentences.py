"""Trees are told in plain Chinese."""

from landrules.engine.language import deadline, parse, sentence


def test_a_tree_is_told_as_a_lawyer_would_say_it(sentences_case, scope):
    told = sentence(parse(sentences_case["text"], scope), {"最长租赁年限": "20 年"}, scope)
    assert told == sentences_case["sentence"]


def test_a_sentence_needs_no_scope(sentences_case, scope):
    assert sentence(parse(sentences_case["text"], scope), {})


def test_days_are_earlier_or_later_even_without_a_scope(scope):
    assert sentence(parse("届满日 ≤ 起始日", scope), {}) == "届满日不晚于起始日"
    assert sentence(parse("公示天数 ≤ 5日", scope), {}) == "公示天数不超过 5 日"


def test_the_vocabulary_calls_days_and_truths_what_sentences_take_them_for(vocabulary):
    for subject in vocabulary.subjects.values():
        for fact in subject.facts.values():
            day = fact.label.endswith(("日", "日期", "时间")) and not fact.label.endswith("工作日")
            assert day == (fact.type == "date"), fact.label
            assert ("是否" in fact.label) == (fact.type == "bool"), fact.label


def test_a_deadline_is_told_by_its_last_day(scope):
    plain = deadline("工作日后(起始日, 1个工作日)", "届满日", None, scope)
    flagged = deadline("2023-06-30", "届满日", "是否政府一级供应", scope)
    assert sentence(plain, {}, scope) == "应于起始日后第 1 个工作日（含当日）前完成（以“届满日”为准）"
    assert sentence(flagged, {}, scope) == (
        "应于2023年6月30日（含当日）前完成（以“届满日”为准，是否完成看“是否政府一级供应”）"
    )


def test_no_sentence_looks_like_code(canonical_case, scope):
    told = sentence(parse(canonical_case["text"], scope), {}, scope)
    assert not set("{}()=<>≤≥≠") & set(told)
